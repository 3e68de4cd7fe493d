package import BoxEvents
import Synchronization

/// A way to an access token. One call is one attempt; back-off and sharing are the part of ``AccessTokens``.
package protocol SignIn: Sendable {
  /// A new access token.
  /// - Throws: `signInFailed` if trying again may help, `signInRefused` if an operator must act.
  func signIn() async throws(FeedFailure) -> AccessToken
}

/// The result of a sign-in.
package struct AccessToken: Sendable {
  package let text: Secret<String>
  /// How long it is valid, from the moment it was asked for; nil if unknown.
  package let lifetime: Duration?
  /// An operator may have signed in as another user since the token before.
  var isOfNewLogin = false
  /// What to do where Box refuses it; nil for one that this program renews.
  var renewalHint: String?
  /// Shared by all copies.
  private let use = Use()
  private final class Use: Sendable { let hasWorked = Atomic(false) }

  /// Nil if the text can't be part of a header: empty, or anything but printable ASCII.
  package init?(_ text: String, lifetime: Duration?) {
    let text = text.trimmed
    guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      return nil
    }
    self.text = Secret(text)
    self.lifetime = lifetime
  }

  /// Box has accepted it at least once: a refusal means that it has expired or was revoked, not that Box
  /// never accepts such tokens.
  var hasWorked: Bool { use.hasWorked.load(ordering: .relaxed) }

  func noteWorked() {
    if !hasWorked { use.hasWorked.store(true, ordering: .relaxed) }
  }
}

/// Reads a secret each time it is needed, so that a changed file counts from the next sign-in on. What an operator is
/// to read of a failure is thrown as `ExplainedError`.
package typealias SecretProvider = @Sendable () throws -> Secret<String>

/// The trimmed text of a secret. An error of the provider that explains itself is passed on; another one is not quoted:
/// it may contain anything.
/// - Parameter name: of the secret, for messages: `client secret`.
func read(_ name: String, _ provider: SecretProvider) throws(FeedFailure) -> Secret<String> {
  let hint = "Check the credential or file named in [auth]."
  let secret: Secret<String>
  do {
    secret = try provider()
  } catch let error as any ExplainedError {
    throw FeedFailure(.signInRefused, error.message, hint: error.hint ?? hint)
  } catch {
    throw FeedFailure(.signInRefused, "cannot read the \(name)", hint: hint)
  }
  let text = secret.reveal().trimmed
  guard !text.isEmpty else { throw FeedFailure(.signInRefused, "the \(name) is empty", hint: hint) }
  return Secret(text)
}

// MARK: Sign-ins that keep nothing

/// Signing in as the app itself.
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
    let secret = try read("client secret", clientSecret)
    return try await endpoint.request(
      [
        .plain("grant_type", "client_credentials"),
        .plain("client_id", clientID),
        .secret("client_secret", secret),
        .plain("box_subject_type", subject.kind.rawValue),
        .plain("box_subject_id", subject.id),
      ], of: subject
    ).token()
  }
}

/// A token that something else renews: its file is read again whenever the token was refused.
package struct ProvidedToken: SignIn {
  private let provider: SecretProvider
  private let renewalHint: @Sendable () -> String

  /// - Parameter renewalHint: how an operator replaces a token that Box refuses.
  package init(
    _ provider: @escaping SecretProvider,
    renewalHint: @escaping @Sendable () -> String = { "Write a new token into its file." }
  ) {
    self.provider = provider
    self.renewalHint = renewalHint
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    var token = try Self.token(from: try read("access token", provider))
    token.isOfNewLogin = true
    token.renewalHint = renewalHint()
    return token
  }

  /// The token in a file's contents.
  /// - Throws: `signInRefused` if they are not a token.
  package static func token(from contents: Secret<String>) throws(FeedFailure) -> AccessToken {
    guard let token = AccessToken(contents.reveal(), lifetime: nil) else {
      throw FeedFailure(
        .signInRefused, "the access token is too long or contains spaces or characters outside ASCII",
        hint: "Write only the token into its file.")
    }
    return token
  }
}
