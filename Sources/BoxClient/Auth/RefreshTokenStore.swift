package import BoxEvents

/// Where the refresh token lives. A refresh token works once, so its successor must not be lost.
package protocol RefreshTokenStore: Sendable {
  /// The token last saved; nil if there has never been a login.
  func load() async throws -> Secret<String>?

  /// Proves that a save would succeed now, by a synced test write. Asked before a token is spent.
  func proveWritable() async throws

  /// Saves durably: when this returns, a power cut can't lose it.
  func save(_ refreshToken: Secret<String>) async throws
}
