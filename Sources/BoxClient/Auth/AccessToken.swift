package import BoxEvents
import Synchronization

/// What a sign-in brought.
package struct AccessToken: Sendable {
  package var text: Secret<String>
  /// How long it is valid from the moment it was asked for; nil where nobody said.
  package var lifetime: Duration?
  /// Shared by all copies.
  private let use = Use()

  private final class Use: Sendable {
    let hasWorked = Atomic(false)
  }

  /// Box has accepted it at least once: a refusal means that it has expired or was revoked, not that Box
  /// won't have such tokens at all.
  var hasWorked: Bool { use.hasWorked.load(ordering: .relaxed) }

  func noteWorked() {
    if !hasWorked { use.hasWorked.store(true, ordering: .relaxed) }
  }

  /// Nil where the text can't stand in a header: empty, or with anything but printable ASCII.
  package init?(_ text: String, lifetime: Duration?) {
    let text = text.trimmed
    guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      return nil
    }
    self.text = Secret(text)
    self.lifetime = lifetime
  }
}
