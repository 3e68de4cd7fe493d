package import BoxEvents

/// A token that something else renews: read from its file again whenever it was refused.
package struct ProvidedToken: SignIn {
  private let provider: SecretProvider

  package init(_ provider: @escaping SecretProvider) {
    self.provider = provider
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    let text = try BoxClient.read("access token", provider)
    guard let token = AccessToken(text.reveal(), lifetime: nil) else {
      throw FeedFailure(.signInRefused, "the access token has characters no token has")
    }
    return token
  }
}
