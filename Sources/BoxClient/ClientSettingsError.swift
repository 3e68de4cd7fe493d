import BoxEvents

/// A setting that the network edge can't work with: found at the start, never later.
package struct ClientSettingsError: ExplainedError, Hashable, Sendable, CustomStringConvertible {
  /// The configuration's key, or the environment's variable: `ca_file`, `HTTPS_PROXY`.
  package var key: String
  /// What is wrong with it, without its value where that may be secret.
  package var message: String
  /// What to do about it.
  package var hint: String?

  package init(_ key: String, _ message: String, hint: String) {
    self.key = key
    self.message = message
    self.hint = hint
  }

  package var description: String { "\(key): \(message)" }
}
