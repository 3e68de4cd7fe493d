import Testing

@testable import EventDaemon

@Suite struct HTTPAnswerTests {
  @Test func aLengthBoundsTheBody() throws {
    let answer = try #require(
      HTTPAnswer(parsing: Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc".utf8)))
    #expect(answer.status == 200)
    #expect(answer.body == Array("ab".utf8))
  }

  @Test func withoutALengthTheBodyEndsWithTheConnection() {
    let answer = HTTPAnswer(parsing: Array("HTTP/1.0 503 No\r\n\r\nabc\r\n\r\n".utf8))
    #expect(answer?.status == 503)
    #expect(answer.map { String(decoding: $0.body, as: UTF8.self) } == "abc\r\n\r\n")
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "SSH-2.0\r\n\r\n", "\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 99999 OK\r\n\r\n",
  ])
  func whatIsNoWholeAnswer(text: String) {
    #expect(HTTPAnswer(parsing: Array(text.utf8)) == nil)
  }
}
