package import BoxEvents
import NIOHTTP1
import Synchronization

/// A sign-in that learns from Box whose its tokens are, where the configuration doesn't say it.
///
/// Box is asked once for each login. Where it doesn't tell, the token is used all the same, and Box is asked again
/// with the next one: events never wait for it.
/// Source: <https://developer.box.com/reference/get-users-me/>
package final class OwnedSignIn: SignIn {
  private let signIn: any SignIn
  private let transport: BoxTransport
  private let url: WebURL
  private let observer: CallObserver
  private let onUnknown: @Sendable (FeedFailure) -> Void
  private let known = Mutex<TokenOwner?>(nil)

  /// - Parameters:
  ///   - apiURL: `https://api.box.com/2.0`.
  ///   - onUnknown: called with the reason where Box doesn't tell.
  package init(
    _ signIn: any SignIn, transport: BoxTransport, apiURL: WebURL,
    observer: @escaping CallObserver = { _ in },
    onUnknown: @escaping @Sendable (FeedFailure) -> Void = { _ in }
  ) {
    self.signIn = signIn
    self.transport = transport
    url = apiURL.appending(path: "/users/me").appending(query: "fields=id,enterprise")
    self.observer = observer
    self.onUnknown = onUnknown
  }

  /// Nil as long as Box hasn't told.
  package var owner: TokenOwner? { known.withLock { $0 } }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    let token = try await signIn.signIn()
    if token.isOfNewLogin || owner == nil {
      // Known before the token is used: no page that it brings is taken for the earlier owner's.
      let owner = await owner(of: token)
      known.withLock { $0 = owner }
    }
    return token
  }

  private func owner(of token: AccessToken) async -> TokenOwner? {
    guard (try? url.requireConfidential(key: "api_url")) != nil else { return nil }
    var call = HTTPCall(.user, url)
    call.headers.add(name: "Authorization", value: "Bearer \(token.text.reveal())")
    do throws(FeedFailure) {
      let answer = try await transport.send(call, observer)
      guard answer.status == 200 else { throw answer.refusal(from: .user, hiding: [token.text]) }
      guard let owner = TokenOwner(parsing: answer.body) else {
        throw FeedFailure(.unreadable, "Box's answer does not name the owner of the access token")
      }
      return owner
    } catch {
      if error.code != .cancelled { onUnknown(error) }
      return nil
    }
  }
}

/// Whose a token is.
package struct TokenOwner: Hashable, Sendable {
  package var user: String
  /// Nil for a user outside of enterprises.
  package var enterprise: String?

  /// Nil unless the answer has a user's id.
  init?(parsing body: [UInt8]) {
    guard let document = JSONDocument(body), let id = document["id"].text, Subject.isID(id) else {
      return nil
    }
    user = id
    enterprise = document["enterprise"]["id"].text.flatMap { Subject.isID($0) ? $0 : nil }
  }
}
