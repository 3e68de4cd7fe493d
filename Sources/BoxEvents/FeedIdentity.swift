import Crypto

/// Whose feed a position belongs to. A position means nothing in another feed, so the position file
/// carries this value's ``digest``.
public struct FeedIdentity: Hashable, Sendable {
  /// Scheme, host and port of the API, lower case: `https://api.box.com`.
  public var apiOrigin: String
  /// `user:123` or `enterprise:456`; empty for a token whose owner isn't configured.
  public var subject: String
  /// The user of the `As-User` header, or empty.
  public var asUser: String
  public var type: StreamType

  public init(apiOrigin: String, subject: String, asUser: String, type: StreamType) {
    self.apiOrigin = apiOrigin
    self.subject = subject
    self.asUser = asUser
    self.type = type
  }

  /// SHA-256 over the four parts, as 64 lower-case hexadecimal digits.
  public var digest: String {
    let text = [apiOrigin, subject, asUser, type.rawValue].map { "\($0.utf8.count):\($0)" }.joined()
    return Hexadecimal.text(of: SHA256.hash(data: Array(text.utf8)))
  }
}

/// Lower-case hexadecimal text.
public enum Hexadecimal {
  public static func text(of bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
