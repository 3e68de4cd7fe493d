import BoxEvents
import Glibc
import NIOCore
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite struct ManyPollsTests {
  /// Client and server share this process: two descriptors a poll.
  func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  @Test func aThousandStreamsPollAtOnceWhileReadsGoOn() async throws {
    raiseDescriptorLimit()
    let count = 1000
    try await ScriptedServer.run { request, _ in
      request.target.hasPrefix("/s") ? Reply(.silence) : .answer(200, BoxSourceTests.page)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=c"))
        let outcomes = await withTaskGroup(of: FeedFailure.Code?.self) { group in
          for _ in 0..<count {
            group.addTask {
              await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }?.code
            }
          }
          await server.waitForRequests(count)
          #expect(server.connections == count)
          let read = await failure { () throws(FeedFailure) in
            try await source.read(ReadRequest(position: .now))
          }
          #expect(read == nil)
          group.cancelAll()
          return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(outcomes == [.cancelled])
      }
    }
  }
}
