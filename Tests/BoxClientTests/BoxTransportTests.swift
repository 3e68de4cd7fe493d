import BoxEvents
import FoundationEssentials
import NIOCore
import ScriptedHTTP
import TestSystem
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct BoxTransportTests {
  static let page = #"{"entries":[],"next_stream_position":7}"#

  func read(_ transport: BoxTransport, _ server: ScriptedServer) async throws -> FeedFailure? {
    let source = try source(transport, server)
    return await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
  }

  @Test func endsACallWithAStalledHead() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.silence)
    } _: { server in
      try await withTransport {
        $0.readTimeout = .milliseconds(50)
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(failure?.message == "127.0.0.1 sent nothing for 50 ms")
      }
    }
  }

  @Test func endsACallWithAStalledBody() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), .silence)
    } _: { server in
      try await withTransport {
        $0.readTimeout = .milliseconds(50)
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        await server.waitForClosedConnections(1)
      }
    }
  }

  @Test func endsACallWithADrippingBody() async throws {
    try await ScriptedServer.run { _, _ in
      var reply = Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
      for _ in 0..<1000 { reply.steps += [.send(" "), .pause(.milliseconds(20))] }
      return reply
    } _: { server in
      try await withTransport {
        $0.requestTimeout = .milliseconds(150)
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(failure?.message == "127.0.0.1 did not complete its answer in time")
      }
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"entries\":[]",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ent\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n",
  ])
  func truncatedAnswersAreFailures(_ text: String) async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send(text), .close)
    } _: { server in
      try await withTransport { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(server.requests.count == 1)
      }
    }
  }

  @Test func aResetInTheBodyIsAFailure() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), .pause(.milliseconds(20)), .reset)
    } _: { server in
      try await withTransport { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(server.requests.count == 1)
      }
    }
  }

  @Test(arguments: [Reply(.close), Reply(.reset)])
  func retriesOnceOnADeadConnection(_ ending: Reply) async throws {
    try await ScriptedServer.run { _, index in
      index == 1 ? ending : .answer(200, Self.page)
    } _: { server in
      try await withTransport { transport in
        for _ in 0..<2 {
          let failure = try await read(transport, server)
          #expect(failure == nil)
        }
        #expect(server.requests.count == 3)
        #expect(server.requests.map(\.connection) == [0, 0, 1])
      }
    }
  }

  @Test func retriesOnlyOnce() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.close)
    } _: { server in
      try await withTransport { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(failure?.message.contains("closed the connection") == true)
        #expect(server.requests.count == 2)
      }
    }
  }

  @Test func explainsRefusedConnections() async throws {
    let dead = try DeadPort(.refusing)
    try await withTransport { transport in
      let source = try BoxSource(
        transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
        settings: FeedSettings(apiURL: try webURL("http://127.0.0.1:\(dead.port)")))
      let failure = await failure { () throws(FeedFailure) in try await source.subscribe() }
      #expect(failure?.code == .unreachable)
      #expect(failure?.message == "cannot connect to 127.0.0.1:\(dead.port): Connection refused")
      #expect(failure?.hint != nil)
      withExtendedLifetime(dead) {}
    }
  }

  @Test func refusesAnswersThatAreNotHTTP() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("SSH-2.0-OpenSSH_9\r\n\r\n"), .close)
    } _: { server in
      try await withTransport { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .unreachable)
        #expect(failure?.message == "127.0.0.1 sent an answer that is not HTTP")
      }
    }
  }

  @Test(arguments: ["gzip", "x-gzip", "GZIP", " X-GZip  ", "identity, gzip"])
  func inflatesCompressedPages(_ name: String) async throws {
    let gzip = try #require(Data(base64Encoded: Self.smallGzip))
    try await ScriptedServer.run { _, _ in
      .gzip(Array(gzip), named: name)
    } _: { server in
      try await withTransport { transport in
        let answer = try await source(transport, server).read(ReadRequest(position: .now))
        #expect(
          String(decoding: answer.body, as: UTF8.self)
            == #"{"entries":[],"next_stream_position":1152922976252290886}"#)
        #expect(server.requests[0].headers["accept-encoding"] == "gzip")
      }
    }
  }

  @Test func boundsDecompression() async throws {
    let gzip = try #require(Data(base64Encoded: Self.bomb))
    try await ScriptedServer.run { _, _ in
      .gzip(Array(gzip))
    } _: { server in
      try await withTransport {
        $0.maximumPageBytes = 65_536
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .tooLarge)
        #expect(failure?.hint?.contains("max_page") == true)
      }
    }
  }

  @Test func refusesDamagedGzip() async throws {
    let gzip = Array(try #require(Data(base64Encoded: Self.smallGzip)))
    try await ScriptedServer.run { _, index in
      index == 0 ? .gzip(Array(gzip.dropLast(20))) : .gzip(Array("this is not gzip".utf8))
    } _: { server in
      try await withTransport { transport in
        for _ in 0..<2 {
          let failure = try await read(transport, server)
          #expect(failure?.code == .unreachable)
        }
      }
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n",
  ])
  func refusesAPageAboveTheLimit(_ head: String) async throws {
    let body = String(repeating: "x", count: 1001)
    try await ScriptedServer.run { _, _ in
      Reply(.send(head + body), .silence)
    } _: { server in
      try await withTransport {
        $0.maximumPageBytes = 1000
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure?.code == .tooLarge)
      }
    }
  }

  @Test func readsAPageOfExactlyTheLimit() async throws {
    let body = String(repeating: "x", count: 1000)
    try await ScriptedServer.run { _, _ in
      .answer(200, body)
    } _: { server in
      try await withTransport {
        $0.maximumPageBytes = 1000
      } _: { transport in
        let failure = try await read(transport, server)
        #expect(failure == nil)
      }
    }
  }

  @Test func acceptsAHugeErrorBody() async throws {
    let body = String(repeating: "x", count: 300_000)
    try await ScriptedServer.run { _, _ in
      .answer(502, body)
    } _: { server in
      try await withTransport { transport in
        let failure = try await read(transport, server)
        #expect(failure?.status == 502)
      }
    }
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func doesNotFollowRedirects(_ status: Int) async throws {
    try await ScriptedServer.run { _, _ in
      .answer(200, Self.page)
    } _: { elsewhere in
      try await ScriptedServer.run { _, _ in
        .answer(status, "", headers: ["Location: \(elsewhere.origin)/2.0/events"])
      } _: { server in
        try await withTransport { transport in
          let failure = try await read(transport, server)
          #expect(failure?.code == .serverError)
          #expect(failure?.status == status)
          #expect(failure?.hint?.contains("Redirects") == true)
        }
      }
      #expect(elsewhere.connections == 0)
    }
  }

  @Test func cancellationEndsACallAtOnce() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.silence)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let poll = Task {
          let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=c"))
          return await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }
        }
        await server.waitForRequests(1)
        poll.cancel()
        #expect(await poll.value?.code == .cancelled)
        await server.waitForClosedConnections(1)
        let read = Task {
          await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
        }
        await server.waitForRequests(2)
        read.cancel()
        #expect(await read.value?.code == .cancelled)
        #expect(server.requests.count == 2)
      }
    }
  }

  @Test func cancelsCallsAfterShutdown() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(200, Self.page)
    } _: { server in
      let late: BoxSource = try await withTransport { transport in try source(transport, server) }
      let failure = await failure { () throws(FeedFailure) in
        try await late.read(ReadRequest(position: .now))
      }
      #expect(failure?.code == .cancelled)
    }
  }

  /// `{"entries":[],"next_stream_position":1152922976252290886}`
  static let smallGzip =
    "H4sIAAAAAAACA6tWSs0rKcpMLVayio7VUcpLrSiJLy4pSk3MjS/IL84syczPU7IyNDQ1sjQysjQ3MzIFUgYWFma1AB1sFA45AAAA"
  /// 256 KiB of NUL.
  static let bomb =
    "H4sIAAAAAAACA+3BMQEAAADCoPVP7W0Ho" + String(repeating: "A", count: 339) + "3gAi6g7iAAAEAA=="
}
