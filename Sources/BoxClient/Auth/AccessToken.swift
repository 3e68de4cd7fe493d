public import BoxEvents

/// What a sign-in brought.
public struct AccessToken: Sendable {
  public var text: Secret<String>
  /// How long it is valid from the moment it was asked for; nil where nobody said.
  public var lifetime: Duration?

  /// Nil where the text can't stand in a header: empty, or with anything but printable ASCII.
  public init?(_ text: String, lifetime: Duration?) {
    let text = text.trimmed
    guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      return nil
    }
    self.text = Secret(text)
    self.lifetime = lifetime
  }
}
