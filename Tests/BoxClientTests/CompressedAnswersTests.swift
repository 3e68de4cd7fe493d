import BoxEvents
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct CompressedAnswersTests {
  private typealias Form = DecompressionTests.Form

  /// What becomes of a read with this answer, when a page may have 1,000 bytes.
  private func outcome(_ reply: Reply) async throws -> FeedFailure? {
    try await ScriptedServer.run { _, _ in
      reply
    } _: { server in
      try await withTransport {
        $0.maximumPageBytes = 1000
      } _: { transport in
        let source = try source(transport, server)
        return await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
      }
    }
  }

  private func page(_ count: Int) -> [UInt8] {
    let page = BoxTransportTests.page
    return Array((page + String(repeating: " ", count: count - page.utf8.count)).utf8)
  }

  @Test(arguments: [Form.gzip, .zlib], ["gzip", "deflate"])
  func readsAPageOfExactlyTheLimit(_ form: DecompressionTests.Form, _ name: String) async throws {
    #expect(try await outcome(.gzip(form.compressed(page(1000)), named: name)) == nil)
    let failure = try await outcome(.gzip(form.compressed(page(1001)), named: name))
    #expect(failure?.code == .tooLarge)
    #expect(failure?.message == "the page is larger than 1000 bytes")
  }

  /// Its length is announced, or not.
  @Test(arguments: [
    "Content-Length: 1001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3E9\r\n",
  ])
  func boundsWhatTravels(_ head: String) async throws {
    let reply = Reply(
      .send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + head),
      .bytes([UInt8](repeating: 0, count: 1001)), .silence)
    #expect(try await outcome(reply)?.code == .tooLarge)
  }

  @Test func readsTheTextOfAnError() async throws {
    let text = try Form.gzip.compressed(Array(#"{"code":"bad_request","message":"No."}"#.utf8))
    let failure = try await outcome(.answer(400, bytes: text, headers: ["Content-Encoding: gzip"]))
    #expect(failure?.message == "Box answered 400 (bad_request): No.")
  }

  /// The status and the wait count, whatever has become of the text.
  @Test(arguments: [
    Array("not gzip".utf8), [], [UInt8](repeating: 0, count: 100_000),
    (try? Form.gzip.compressed([UInt8](repeating: 0, count: 1 << 20))) ?? [],
  ])
  func anErrorIsReportedWithoutItsText(_ bytes: [UInt8]) async throws {
    let reply = Reply.answer(429, bytes: bytes, headers: ["Content-Encoding: gzip", "Retry-After: 7"])
    let failure = try await outcome(reply)
    #expect(failure?.code == .throttled && failure?.retryAfter == .seconds(7))
    #expect(failure?.message == "Box answered 429")
  }
}
