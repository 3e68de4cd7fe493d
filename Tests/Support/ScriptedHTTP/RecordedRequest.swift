/// A request as it stood on the wire.
package struct RecordedRequest: Sendable {
  package var method: String
  package var target: String
  /// Names in lower case.
  package var headers: [String: String]
  package var body: String
  /// Counts the server's connections from 0.
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
