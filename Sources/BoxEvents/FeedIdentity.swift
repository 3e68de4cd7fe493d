import Crypto

/// Whose feed a position belongs to. A position means nothing in another feed, so the position file
/// carries this value's ``digest``.
package struct FeedIdentity: Hashable, Sendable {
  /// Where the API is.
  package var api: WebURL.Origin
  /// Whom the token was asked for; nil for a token whose owner isn't configured.
  package var subject: Subject?
  /// The user of the `As-User` header.
  package var asUser: String?
  package var type: StreamType

  package init(api: WebURL.Origin, subject: Subject?, asUser: String?, type: StreamType) {
    self.api = api
    self.subject = subject
    self.asUser = asUser
    self.type = type
  }

  /// SHA-256 over the four parts, as 64 lower-case hexadecimal digits.
  package var digest: String {
    let parts = [api.description, subject?.description ?? "", asUser ?? "", type.rawValue]
    let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
    return Hexadecimal.text(of: SHA256.hash(data: Array(text.utf8)))
  }
}
