package import BoxEvents

/// A way to an access token. One call is one attempt; back-off and sharing are ``AccessTokens``'.
package protocol SignIn: Sendable {
  /// A new access token.
  /// - Throws: `signInFailed` where trying again may help, `signInRefused` where a person must act.
  func signIn() async throws(FeedFailure) -> AccessToken
}

/// Reads a secret each time it is needed, so that a changed file counts from the next sign-in on.
package typealias SecretProvider = @Sendable () throws -> Secret<String>

/// What an operator wants to know about signing in.
package enum SignInEvent: Sendable {
  /// A new token, valid so long.
  case signedIn(lifetime: Duration?)
  /// No token; the next attempt comes after the failure's `retryAfter`.
  case failed(FeedFailure)
}

extension FeedFailure {
  /// A secret that can't be had. The provider's error is not quoted: it may hold anything.
  static func noSecret(_ name: String) -> FeedFailure {
    FeedFailure(
      .signInRefused, "the \(name) can't be read", hint: "check the credential or file named in [auth]")
  }
}

/// The trimmed text of a secret.
func read(_ name: String, _ provider: SecretProvider) throws(FeedFailure) -> Secret<String> {
  guard let secret = try? provider() else { throw .noSecret(name) }
  let text = secret.reveal().trimmed
  guard !text.isEmpty else { throw FeedFailure(.signInRefused, "the \(name) is empty") }
  return Secret(text)
}
