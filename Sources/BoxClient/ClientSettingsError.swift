public import BoxEvents

/// A setting that the network edge can't work with: found at the start, never later.
public struct ClientSettingsError: ExplainedError, Hashable, Sendable, CustomStringConvertible {
  /// The configuration's key, or the environment's variable: `ca_file`, `HTTPS_PROXY`.
  public var key: String
  /// What is wrong with it, without its value where that may be secret.
  public var message: String
  /// What to do about it.
  public var hint: String?

  public init(_ key: String, _ message: String, hint: String) {
    self.key = key
    self.message = message
    self.hint = hint
  }

  public var description: String { "\(key): \(message)" }
}
