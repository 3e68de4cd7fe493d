import FoundationEssentials
import ScriptedHTTP

extension AnswerTable {
  /// HTTP itself gone wrong, or only unusual.
  static let transfers = cut + forms + compressed

  private static let body = #"{"entries":[\#(AnswerRow.event)],"next_stream_position":1500}"#
  private static let size = body.utf8.count
  private static let noHTTP = "127.0.0.1 sent an answer that is not HTTP"
  private static let dropped = "127.0.0.1 closed the connection before the answer was complete"

  /// A head, the body as it is, and the end of the connection.
  private static func raw(_ head: String, _ rest: String = body) -> Reply {
    Reply(.send("\(head)\r\n\r\n\(rest)"), .close)
  }

  private static let cut: [AnswerRow] =
    [
      AnswerRow("closed without a byte", .read, times: 2, Reply(.close)) { $0.isRefused(dropped) },
      AnswerRow("reset without a byte", .read, times: 2, Reply(.reset)) { $0.isRefused("127.0.0.1") },
      // One dead connection is normal: the request is sent again at once.
      AnswerRow("closed without a byte, once", .read, Reply(.close)),
      AnswerRow("closed in the status line", .read, times: 2, Reply(.send("HTTP/1.1 20"), .close)) {
        $0.isRefused(dropped)
      },
      AnswerRow(
        "closed in the headers", .read, times: 2, Reply(.send("HTTP/1.1 200 OK\r\nContent-Le"), .close)
      ) {
        $0.isRefused(dropped)
      },
      AnswerRow("Content-Length too long", .read, raw("HTTP/1.1 200 OK\r\nContent-Length: 1000")) {
        $0.isRefused(dropped)
      },
      AnswerRow("Content-Length one too long", .read, raw("HTTP/1.1 200 OK\r\nContent-Length: \(size + 1)")) {
        $0.isRefused(dropped)
      },
      AnswerRow("Content-Length too short", .read, raw("HTTP/1.1 200 OK\r\nContent-Length: 20")) {
        $0.isRefused("the text ends too early", limit: 50)
      },
      AnswerRow("Content-Length 0", .read, raw("HTTP/1.1 200 OK\r\nContent-Length: 0")) {
        $0.isRefused("Box's answer is not a page of events")
      },
      AnswerRow(
        "Content-Length above max_page", .read, raw("HTTP/1.1 200 OK\r\nContent-Length: 100000000000")
      ) {
        $0.isRefused("the page is larger than", limit: 50)
      },
      AnswerRow("a chunk cut", .read, raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "400\r\n\(body)"))
      {
        $0.isRefused(dropped)
      },
      AnswerRow(
        "the last chunk missing", .read,
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "\(String(size, radix: 16))\r\n\(body)\r\n")
      ) { $0.isRefused(dropped) },
    ]
    + [
      (
        "a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "ZZ\r\n\(body)\r\n0\r\n\r\n"
      ),
      (
        "a negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "-1\r\n\(body)\r\n0\r\n\r\n"
      ),
      (
        "a chunk size above 2^64", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "fffffffffffffffff\r\n\(body)\r\n0\r\n\r\n"
      ),
      ("two lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\nContent-Length: 10", body),
      (
        "the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\nContent-Length: \(size)", body
      ),
      ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1", body),
      ("a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: many", body),
      ("a length above 2^64", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999", body),
      ("a status that is no number", "HTTP/1.1 OK", body), ("no version", "200 OK", body),
      ("another protocol", "SSH-2.0-OpenSSH_9", ""), ("only a body", body, ""),
      ("a NUL in a header", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: \(size)", body),
      ("a space in a header's name", "HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: \(size)", body),
      ("a header of 1 MB", "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 1 << 20))", body),
      (
        "100,000 headers", "HTTP/1.1 200 OK" + String(repeating: "\r\nX: y", count: 100_000),
        body
      ),
    ].map { name, head, rest in
      AnswerRow(name, .read, raw(head, rest)) { $0.isRefused(noHTTP) }
    }

  private static let forms: [AnswerRow] =
    [
      ("100 Continue before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: \(size)"),
      (
        "103 Early Hints before it",
        "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: \(size)"
      ),
      ("no length: the end of the connection", "HTTP/1.1 200 OK"), ("HTTP/1.0", "HTTP/1.0 200 OK"),
      ("no reason phrase", "HTTP/1.1 200\r\nContent-Length: \(size)"),
      ("another content type", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: \(size)"),
      ("header names in odd case", "HTTP/1.1 200 OK\r\ncONTENT-lENGTH: \(size)"),
      ("an unknown content encoding", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: \(size)"),
      (
        "a header of 8 kB",
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 8192))\r\nContent-Length: \(size)"
      ),
      (
        "control characters in the request id",
        "HTTP/1.1 200 OK\r\nbox-request-id: \u{9B}31m\u{202E}\r\nContent-Length: \(size)"
      ),
      ("a date that is none", "HTTP/1.1 200 OK\r\nDate: yesterday\r\nContent-Length: \(size)"),
    ].map { name, head in
      AnswerRow("200, \(name)", .read, raw(head)) { $0.isRead(AnswerRow.event) }
    } + [
      AnswerRow(
        "200, a byte a chunk", .read,
        raw(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
          body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\nTrailer: x\r\n\r\n")
      ) { $0.isRead(AnswerRow.event) }
    ]

  // MARK: gzip

  private static func gzip(_ base64: String) -> [UInt8] {
    Data(base64Encoded: base64).map { Array($0) } ?? []
  }

  /// An empty page at 1152922976252290886.
  private static let emptyPage = gzip(
    "H4sIAAAAAAACA6tWSs0rKcpMLVayio7VUcpLrSiJLy4pSk3MjS/IL84syczPU7IyNDQ1sjQysjQ3MzIFUgYWFma1AB1sFA45AAAA")
  /// 256 KiB of NUL.
  private static let bomb = gzip(
    "H4sIAAAAAAACA+3BMQEAAADCoPVP7W0Ho" + String(repeating: "A", count: 339) + "3gAi6g7iAAAEAA==")

  private static let compressed: [AnswerRow] = [
    AnswerRow("gzip", .read, .gzip(emptyPage)) { $0.asks = "1152922976252290886" },
    AnswerRow("gzip, truncated", .read, .gzip(emptyPage.dropLast(20))) { $0.isRefused("127.0.0.1") },
    AnswerRow("gzip, its checksum wrong", .read, .gzip(emptyPage.dropLast(8) + [0, 0, 0, 0, 0, 0, 0, 0])) {
      $0.isRefused("damaged compressed answer")
    },
    AnswerRow("gzip, announced and plain", .read, .gzip(Array(body.utf8))) {
      $0.isRefused("damaged compressed answer")
    },
    AnswerRow("gzip, empty", .read, .gzip([])) { $0.isRefused("damaged compressed answer") },
    AnswerRow("gzip, a bomb", .read, .gzip(bomb)) {
      $0.isRefused("the page is larger than 65536 bytes. Raise max_page in [box].", limit: 50)
      $0.maximumPage = 65_536
    },
    AnswerRow("gzip, not announced", .read, .answer(bytes: emptyPage)) {
      $0.isRefused("Box's answer is not a page of events")
    },
  ]
}
