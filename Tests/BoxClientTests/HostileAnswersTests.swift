import BoxEvents
import FoundationEssentials
import NIOCore
import ScriptedHTTP
import Testing

@testable import BoxClient

/// Answers as no honest server sends them: each ends one call, none the process or the next call.
@Suite(.timeLimit(.minutes(5))) struct HostileAnswersTests {
  private static let page = #"{"entries":[],"next_stream_position":7}"#

  /// An answer, or its beginning in the test's name.
  struct Answer: CustomTestStringConvertible {
    let text: String
    var testDescription: String { String(text.prefix(80)).debugDescription }
  }

  /// An answer with a page and these lines in its head.
  private static func head(_ lines: String...) -> String {
    (["HTTP/1.1 200 OK"] + lines + ["Content-Length: \(page.utf8.count)", "", page]).joined(separator: "\r\n")
  }

  /// An answer with a page of this length, as its server writes it.
  private static func length(_ text: String) -> String {
    "HTTP/1.1 200 OK\r\n\(text)\r\n\r\n\(page)"
  }

  /// A page in one chunk.
  private static func chunked(after size: String = "", trailers: String = "", headers: String = "") -> String
  {
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\(headers)\r\n"
      + "\(String(page.utf8.count, radix: 16))\(size)\r\n\(page)\r\n0\r\n\(trailers)\r\n"
  }

  private static func lines(_ count: Int) -> String { (1...count).map { "X\($0): 1\r\n" }.joined() }

  /// What becomes of a read and of a poll that get this answer. The call after each gets a page.
  private func outcomes(_ answer: String) async throws -> (read: FeedFailure?, poll: FeedFailure?) {
    try await ScriptedServer.run { _, index in
      index.isMultiple(of: 2) ? Reply(.send(answer)) : .answer(200, Self.page)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=c"))
        func read() async -> FeedFailure? {
          await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
        }
        func poll() async -> FeedFailure? {
          await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }
        }
        let first = await read()
        #expect(await read() == nil)
        let second = await poll()
        #expect(await poll() == nil)
        return (first, second)
      }
    }
  }

  private static let malformed = [
    "HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 099 Below\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 099 Below\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "HTTP/1.1 20 Short\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 Long\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    head("X: " + String(repeating: "x", count: 100_000)), head(lines(300) + "X: 1"),
    head("X: a\0b"), head("X\0: a"), head("X: a\rb"), head(": a"),
    head("X"), head("X: a\r\n b"), head("X : a"),
    length("Content-Length: +39"), length("Content-Length: -1"),
    length("Content-Length: 0x27"), length("Content-Length:"),
    length("Content-Length: 99999999999999999999"), length("Content-Length: 39, 39"),
    length("Content-Length: 39\r\nContent-Length: 39"),
    length("Content-Length: 39\r\nContent-Length: 5"),
    chunked(headers: "Content-Length: 39\r\n"), chunked(trailers: lines(300)),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
  ]

  @Test(arguments: malformed.map { Answer(text: $0) })
  func malformedAnswersAreRefused(_ answer: Answer) async throws {
    let (read, poll) = try await outcomes(answer.text)
    let message = "127.0.0.1 sent an answer that is not HTTP"
    #expect(read?.code == .unreachable && read?.message == message)
    #expect(poll?.code == .unreachable && poll?.message == message)
  }

  @Test(arguments: [
    ("HTTP/1.1 999 Above\r\nContent-Length: 0\r\n\r\n", 999), ("HTTP/1.1 101 Switch\r\n\r\n", 101),
    ("HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nbytes", 101),
    ("HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\nhello", 204),
    ("HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\nhello", 304),
    ("HTTP/1.1 204 None\r\nContent-Encoding: gzip\r\n\r\n", 204),
    ("HTTP/1.1 304 Same\r\nContent-Encoding: gzip\r\n\r\n", 304),
    ("HTTP/1.1 503 Busy\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 503),
  ])
  func aStatusWithoutABodyIsReported(_ answer: String, _ status: Int) async throws {
    let (read, poll) = try await outcomes(answer)
    #expect(read?.status == status && poll?.status == status)
  }

  private static let odd = [
    String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", count: 1000) + head(),
    "HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n" + head(),
    head("X: " + String(repeating: "x", count: 60_000)), head(lines(200) + "X: 1"), head("X:"),
    "HTTP/1.1 200 " + String(repeating: "x", count: 1_000_000) + "\r\nContent-Length: 39\r\n\r\n" + page,
    "\r\n\r\n" + head(),
    chunked(after: ";" + String(repeating: "x", count: 1_000_000)), chunked(trailers: "X: 1\r\nY:\r\n"),
    head() + "left over", head() + head(),
  ]

  @Test(arguments: odd.map { Answer(text: $0) })
  func oddButCompleteAnswersAreRead(_ answer: Answer) async throws {
    let (read, poll) = try await outcomes(answer.text)
    #expect(read == nil && poll == nil)
  }

  /// It isn't taken for the answer to the call that waits for the connection.
  @Test func aSecondAnswerIsNobodys() async throws {
    let second = Self.page.replacing("7", with: "666")
    try await ScriptedServer.run { _, _ in
      Reply(.send(Self.head() + "HTTP/1.1 200 OK\r\nContent-Length: \(second.utf8.count)\r\n\r\n" + second))
    } _: { server in
      try await withTransport {
        $0.callsAtOnce = 1
      } _: { transport in
        let source = try source(transport, server)
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<10 {
            group.addTask {
              do throws(FeedFailure) {
                let answer = try await source.read(ReadRequest(position: .now))
                #expect(String(decoding: answer.body, as: UTF8.self) == Self.page)
              } catch {
                #expect(error.code == .unreachable)
              }
            }
          }
        }
      }
    }
  }

  @Test func anEndlessRowOfInterimAnswersEnds() async throws {
    try await ScriptedServer.run { _, _ in
      var reply = Reply()
      for _ in 0..<1000 {
        reply.steps += [.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), .pause(.milliseconds(20))]
      }
      return reply
    } _: { server in
      try await withTransport {
        $0.requestTimeout = .milliseconds(150)
      } _: { transport in
        let source = try source(transport, server)
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.message == "127.0.0.1 did not complete its answer in time")
      }
    }
  }

  /// No `Int` holds it.
  @Test func aLengthBeyondAllNumbersIsTooLarge() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"))
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.code == .tooLarge)
      }
    }
  }

  /// RFC 1952, section 2.2: members simply follow each other. Only one is read.
  @Test func whatFollowsTheFirstGzipMemberIsNamed() async throws {
    let gzip = Array(try #require(Data(base64Encoded: BoxTransportTests.smallGzip)))
    try await ScriptedServer.run { _, index in
      .gzip(gzip + (index == 0 ? gzip : [0, 0, 0, 0]))
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        for _ in 0..<2 {
          let failure = await failure { () throws(FeedFailure) in
            try await source.read(ReadRequest(position: .now))
          }
          #expect(failure?.code == .unreachable)
          #expect(
            failure?.message == "127.0.0.1 sent bytes after the first gzip member, which is not supported")
        }
      }
    }
  }
}
