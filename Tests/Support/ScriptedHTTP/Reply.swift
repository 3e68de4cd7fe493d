package import NIOCore

/// What a test's server does with one request: bytes on the wire, pauses and rude endings.
package struct Reply: Sendable {
  package enum Step: Sendable {
    case send(String)
    case bytes([UInt8])
    case pause(TimeAmount)
    case close
    case reset
    /// Nothing more, and the connection stays.
    case silence
  }

  package var steps: [Step]

  package init(_ steps: Step...) {
    self.steps = steps
  }

  /// A complete answer on a connection that stays.
  package static func answer(_ status: Int = 200, _ body: String = "", headers: [String] = []) -> Reply {
    answer(status, bytes: Array(body.utf8), headers: headers)
  }

  /// A complete answer whose body need not be text.
  package static func answer(_ status: Int = 200, bytes: [UInt8], headers: [String] = []) -> Reply {
    let lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(bytes.count)"] + headers
    return Reply(.send(lines.joined(separator: "\r\n") + "\r\n\r\n"), .bytes(bytes))
  }

  package static func gzip(_ body: [UInt8]) -> Reply {
    .answer(bytes: body, headers: ["Content-Encoding: gzip"])
  }
}
