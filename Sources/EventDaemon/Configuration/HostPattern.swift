import BoxEvents

/// A host name, or `*.` and the end of one, lower case: `*.box.com` stands for every host below
/// `box.com`, not for `box.com` itself. An address is written as in a URL, without brackets.
package struct HostPattern: Hashable, Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a URL, a port, a star elsewhere, an empty label.
  package init?(_ text: some StringProtocol) {
    let lower = text.lowercased()
    let name = lower.hasPrefix("*.") ? lower.dropFirst(2) : lower[...]
    let isName = WebHost.isName(name)
    guard isName || (name.count == lower.count && WebHost.isIPv6(name)) else { return nil }
    self.text = lower
  }

  package var description: String { text }
}
