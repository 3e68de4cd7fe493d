import BoxEvents
import NIOHTTP1
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct ClientCredentialsTests {
  static let granted = #"{"access_token":"CANARY-token","expires_in":4169,"token_type":"bearer"}"#

  func signIn(_ reply: Reply, subject: String = "enterprise:456") async throws -> (
    Result<AccessToken, FeedFailure>, [RecordedRequest]
  ) {
    try await ScriptedServer.run { _, _ in
      reply
    } _: { server in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/oauth2/token"))
        let method = ClientCredentials(
          endpoint: endpoint, clientID: "my app", clientSecret: { Secret("CANARY&secret\n") },
          subject: try #require(Subject(subject)))
        do throws(FeedFailure) {
          return (.success(try await method.signIn()), server.requests)
        } catch {
          return (.failure(error), server.requests)
        }
      }
    }
  }

  func refused(_ reply: Reply) async throws -> FeedFailure? {
    switch try await signIn(reply).0 {
    case .success: return nil
    case .failure(let failure):
      #expect(!String(describing: failure).contains("CANARY"))
      return failure
    }
  }

  @Test func sendsTheFormThatBoxExpects() async throws {
    let (result, requests) = try await signIn(.answer(200, Self.granted))
    #expect(try result.get().lifetime == .seconds(4169))
    #expect(try result.get().text.reveal() == "CANARY-token")
    #expect(!String(describing: result).contains("CANARY"))
    let request = try #require(requests.first)
    #expect(request.method == "POST" && request.target == "/oauth2/token")
    #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
    #expect(request.headers["authorization"] == nil)
    #expect(
      request.body == "grant_type=client_credentials&client_id=my%20app&client_secret=CANARY%26secret"
        + "&box_subject_type=enterprise&box_subject_id=456")
  }

  @Test(arguments: [
    (#"{"access_token":"t"}"#, 3600), (#"{"access_token":"t","expires_in":"60"}"#, 60),
    (#"{"access_token":"t","expires_in":0}"#, 3600), (#"{"access_token":"t","expires_in":-1}"#, 3600),
    (#"{"access_token":"t","expires_in":999999999999999999999}"#, 3600),
    (#"{"access_token":"t","expires_in":1}"#, 1),
  ])
  func lifetimesAreBounded(_ body: String, _ seconds: Int) async throws {
    #expect(try await signIn(.answer(200, body)).0.get().lifetime == .seconds(seconds))
  }

  @Test(arguments: [
    "", "<html>", "{}", #"{"access_token":""}"#, #"{"access_token":"a b"}"#, #"{"access_token":"a\r\nX: y"}"#,
    #"{"access_token":null}"#,
  ])
  func refusesAnswersWithoutAToken(_ body: String) async throws {
    let failure = try await refused(.answer(200, body))
    #expect(failure?.code == .signInFailed)
    #expect(failure?.hint?.hasPrefix("Check token_url in [box].") == true)
  }

  @Test func lastingErrorsRequireAnOperator() async throws {
    for error in ["invalid_client", "unauthorized_client", "invalid_grant"] {
      let failure = try await refused(
        .answer(400, #"{"error":"\#(error)","error_description":"The CANARY&secret is bad"}"#))
      #expect(failure?.code == .signInRefused)
      #expect(failure?.message == "the token endpoint answered 400 (\(error)): The <redacted> is bad")
      #expect(failure?.hint != nil)
    }
  }

  @Test(arguments: [
    ("enterprise:456", "invalid_grant", "Check that enterprise:456 exists"),
    ("user:7", "invalid_grant", "\"Generate user access tokens\""), ("user:7", "invalid_client", "client_id"),
  ])
  func refusalsNameWhatToCheck(subject: String, error: String, hint: String) async throws {
    let (result, _) = try await signIn(.answer(400, #"{"error":"\#(error)"}"#), subject: subject)
    let failure = await failure { () throws(FeedFailure) in try result.get() }
    #expect(failure?.hint?.contains(hint) == true, "\(failure?.hint ?? "")")
  }

  @Test func otherErrorsAreRetried() async throws {
    #expect(try await refused(.answer(400, #"{"error":"temporarily_unavailable"}"#))?.code == .signInFailed)
    #expect(try await refused(.answer(401, #"{"code":"unauthorized"}"#))?.code == .signInFailed)
    #expect(try await refused(.answer(500, #"{"error":"invalid_grant"}"#))?.code == .signInFailed)
    #expect(
      try await refused(.answer(302, "", headers: ["Location: https://evil.example/CANARY"]))?.code
        == .signInFailed)
    let busy = try await refused(.answer(429, "", headers: ["Retry-After: 17"]))
    #expect(busy?.code == .signInFailed && busy?.retryAfter == .seconds(17) && busy?.status == 429)
    let dead = try await refused(Reply(.close))
    #expect(dead?.code == .signInFailed)
    #expect(dead?.message.hasPrefix("127.0.0.1 closed") == true)
  }

  @Test func redactsAnEchoOfTheForm() async throws {
    let echo = #"{"message":"got client_secret=CANARY%26secret"}"#
    #expect(try await refused(.answer(400, echo))?.message.contains("client_secret=<redacted>") == true)
  }

  @Test func unreadableSecretsRequireAnOperator() async throws {
    struct Unreadable: Error {}
    try await withTransport { transport in
      let endpoint = try TokenEndpoint(transport: transport, url: webURL("https://127.0.0.1:1/"))
      for provider: SecretProvider in [{ throw Unreadable() }, { Secret(" \n") }] {
        let method = ClientCredentials(
          endpoint: endpoint, clientID: "id", clientSecret: provider, subject: try #require(Subject("user:1"))
        )
        let failure = await failure { () throws(FeedFailure) in try await method.signIn() }
        #expect(failure?.code == .signInRefused)
        #expect(failure?.message.contains("client secret") == true)
      }
    }
  }

  @Test func aSecretsFailureKeepsItsExplanation() async throws {
    struct Explained: ExplainedError {
      let message = "client-secret, /secret: no such file"
      let hint: String? = "Write the secret into it."
    }
    try await withTransport { transport in
      let endpoint = try TokenEndpoint(transport: transport, url: webURL("https://127.0.0.1:1/"))
      let method = ClientCredentials(
        endpoint: endpoint, clientID: "id", clientSecret: { throw Explained() },
        subject: try #require(Subject("user:1")))
      let failure = await failure { () throws(FeedFailure) in try await method.signIn() }
      #expect(failure?.code == .signInRefused)
      #expect(failure?.explanation == "client-secret, /secret: no such file. Write the secret into it.")
    }
  }

  @Test func parsesSubjects() {
    #expect(Subject("user:123")?.description == "user:123")
    #expect(Subject("enterprise:4")?.kind == .enterprise)
    for text in ["", "user", "user:", "user:x", "group:1", "user:1:2", "user: 1", "User:1"] {
      #expect(Subject(text) == nil)
    }
  }

  /// Storing it would lose the one that is still good.
  @Test func ignoresAnEmptyRefreshToken() {
    let body = Array(#"{"access_token":"a","expires_in":60,"refresh_token":""}"#.utf8)
    let answer = TokenAnswer(HTTPAnswer(status: 200, headers: [:], body: body), hiding: [])
    guard case .granted(_, let refreshToken) = answer else {
      Issue.record("refused")
      return
    }
    #expect(refreshToken == nil)
  }

  @Test func accessTokensHaveAtMost8192Bytes() {
    #expect(AccessToken(String(repeating: "t", count: 8192), lifetime: nil) != nil)
    #expect(AccessToken(String(repeating: "t", count: 8193), lifetime: nil) == nil)
  }
}
