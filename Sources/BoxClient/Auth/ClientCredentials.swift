package import BoxEvents

/// Signing in as the app itself: nothing to keep, nothing that expires.
///
/// Source: <https://developer.box.com/guides/authentication/client-credentials/>
package struct ClientCredentials: SignIn {
  private let endpoint: TokenEndpoint
  private let clientID: String
  private let clientSecret: SecretProvider
  private let subject: Subject

  package init(
    endpoint: TokenEndpoint, clientID: String, clientSecret: @escaping SecretProvider, subject: Subject
  ) {
    self.endpoint = endpoint
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.subject = subject
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    let secret = try BoxClient.read("client secret", clientSecret)
    return try await endpoint.request([
      .plain("grant_type", "client_credentials"),
      .plain("client_id", clientID),
      .secret("client_secret", secret),
      .plain("box_subject_type", subject.kind.rawValue),
      .plain("box_subject_id", subject.id),
    ]).token()
  }
}
