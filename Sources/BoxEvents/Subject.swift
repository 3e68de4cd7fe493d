/// Whom a token is asked for: `user:123` or `enterprise:456`.
///
/// Source: <https://developer.box.com/reference/post-oauth2-token/>, `box_subject_type` and
/// `box_subject_id`.
package struct Subject: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable {
    case user
    case enterprise
  }

  package let kind: Kind
  /// 1 to 20 ASCII digits.
  package let id: String

  /// Nil for anything but a kind, a colon and digits.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), Self.isID(parts[1]) else {
      return nil
    }
    self.kind = kind
    self.id = String(parts[1])
  }

  package var description: String { "\(kind.rawValue):\(id)" }

  /// Whether text is the number of a Box user or enterprise.
  package static func isID(_ text: some StringProtocol) -> Bool {
    (1...20).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}
