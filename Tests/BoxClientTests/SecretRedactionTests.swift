import BoxEvents
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

/// Whatever fails, and however a server echoes what it was sent: no secret reaches an error or an event.
@Suite struct SecretRedactionTests {
  static let canary = "CANARY"

  /// Everything the client sent, sent back in every part of an answer that messages quote.
  static func echo(_ status: Int, _ request: RecordedRequest) -> Reply {
    let sent = [request.headers["authorization"] ?? "", request.target, request.body].joined(separator: " ")
    let body =
      #"{"code":"\#(sent)","message":"\#(sent)","error":"\#(sent)","error_description":"\#(sent)","request_id":"\#(sent)"}"#
    return .answer(status, body, headers: [#"WWW-Authenticate: Bearer error="\#(sent)""#])
  }

  @Test(arguments: [200, 301, 400, 401, 403, 404, 407, 409, 429, 500, 503])
  func errorsAndEventsContainNoSecret(_ status: Int) async throws {
    let events = Mutex<[String]>([])
    try await ScriptedServer.run { request, _ in
      request.target == "/token-ok"
        ? .answer(200, #"{"access_token":"CANARY-access"}"#) : Self.echo(status, request)
    } _: { server in
      try await withTransport { transport in
        let good = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/token-ok"))
        let bad = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/token-bad"))
        let subject = try #require(Subject("user:1"))
        for endpoint in [good, bad] {
          let methods: [any SignIn] = [
            ClientCredentials(
              endpoint: endpoint, clientID: "id", clientSecret: { Secret("CANARY secret") }, subject: subject),
            JWTSignIn(endpoint: endpoint, settingsFile: { Secret(JWTSignInTests.settings()) }),
            RefreshTokenSignIn(
              endpoint: endpoint, clientID: "id", clientSecret: { Secret("CANARY secret") },
              store: MemoryTokenStore("CANARY/refresh")),
            ProvidedToken { Secret("CANARY-provided") },
          ]
          for method in methods {
            let tokens = AccessTokens(signIn: method) { event in events.withLock { $0.append("\(event)") } }
            let source = try BoxSource(
              transport: transport, tokens: tokens,
              settings: FeedSettings(apiURL: try webURL(server.origin + "/2.0")))
            let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=CANARY-channel"))
            let failures = [
              await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) },
              await failure { () throws(FeedFailure) in try await source.subscribe() },
              status == 200
                ? nil
                : await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) },
            ]
            for failure in failures.compactMap({ $0 }) {
              var text = ""
              dump(failure, to: &text)
              #expect(!text.contains(Self.canary), "\(text)")
            }
          }
        }
      }
    }
    #expect(!events.withLock { $0 }.joined().contains(Self.canary))
  }
}
