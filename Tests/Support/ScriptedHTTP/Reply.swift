package import NIOCore

/// A scripted server's reaction to one request: bytes, pauses, and how the connection ends.
package struct Reply: Sendable {
  package enum Step: Sendable {
    case send(String)
    case bytes([UInt8])
    case pause(TimeAmount)
    case close
    case reset
    /// Sends nothing more and keeps the connection.
    case silence
    /// Sends and reads nothing more, not even the end of the connection: a peer behind a cut cable.
    case vanish
  }

  package var steps: [Step]

  package init(_ steps: Step...) {
    self.steps = steps
  }

  /// A complete answer that keeps the connection.
  package static func answer(_ status: Int = 200, _ body: String = "", headers: [String] = []) -> Reply {
    answer(status, bytes: Array(body.utf8), headers: headers)
  }

  /// A complete answer with any bytes as its body.
  package static func answer(_ status: Int = 200, bytes: [UInt8], headers: [String] = []) -> Reply {
    let lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(bytes.count)"] + headers
    return Reply(.send(lines.joined(separator: "\r\n") + "\r\n\r\n"), .bytes(bytes))
  }

  /// - Parameter name: of the compression; there is more than one way to write it.
  package static func gzip(_ body: [UInt8], named name: String = "gzip") -> Reply {
    .answer(bytes: body, headers: ["Content-Encoding: \(name)"])
  }
}

/// A request as it was received.
package struct RecordedRequest: Sendable {
  package var method: String
  package var target: String
  /// Names in lower case.
  package var headers: [String: String]
  package var body: String
  /// The number of its connection, from 0.
  package var connection: Int

  /// A field of the form in the body, still encoded.
  package func field(_ name: String) -> String? { Self.field(name, in: body) }

  /// An item of the target's query, still encoded.
  package func query(_ name: String) -> String? {
    target.firstIndex(of: "?").flatMap { Self.field(name, in: target[target.index(after: $0)...]) }
  }

  private static func field(_ name: String, in form: some StringProtocol) -> String? {
    form.split(separator: "&").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
