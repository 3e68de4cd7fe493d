package import BoxEvents

/// A token that something else renews: read from its file again whenever it was refused.
package struct ProvidedToken: SignIn {
  private let provider: SecretProvider

  package init(_ provider: @escaping SecretProvider) {
    self.provider = provider
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    try Self.token(from: try BoxClient.read("access token", provider))
  }

  /// The token that a file holds.
  /// - Throws: `signInRefused` if no token looks like that.
  package static func token(from contents: Secret<String>) throws(FeedFailure) -> AccessToken {
    guard let token = AccessToken(contents.reveal(), lifetime: nil) else {
      throw FeedFailure(
        .signInRefused, "the access token is too long or contains spaces or characters outside ASCII",
        hint: "Write only the token into its file.")
    }
    return token
  }
}
