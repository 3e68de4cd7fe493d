import BoxSimulator
import Crypto
import CryptoExtras
import FoundationEssentials
import NIOHTTP1
import Testing

@Suite struct SignInTests {
  private struct TokenReply: Decodable {
    var accessToken: String
    var expiresIn: Int
    var refreshToken: String?
  }

  private struct Settings: Decodable {
    struct App: Decodable {
      struct Auth: Decodable { var publicKeyID, privateKey, passphrase: String }
      var clientID, clientSecret: String
      var appAuth: Auth
    }
    var boxAppSettings: App
    var enterpriseID: String
  }

  private func token(_ reply: TestClient.Reply) throws -> TokenReply {
    #expect(reply.status == 200, "\(reply.text)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(TokenReply.self, from: Data(reply.body))
  }

  private func credentials(
    type: String = "user", id: String = "123", secret: String = "simulator-secret"
  ) -> KeyValuePairs<String, String> {
    [
      "grant_type": "client_credentials", "client_id": "simulator-client", "client_secret": secret,
      "box_subject_type": type, "box_subject_id": id,
    ]
  }

  @Test func clientCredentials() async throws {
    try await TestClient.run { simulator, client in
      var client = client
      let reply = try token(try await client.grant(credentials()))
      #expect(reply.expiresIn == 3600)
      client.token = reply.accessToken
      #expect(try await client.events().status == 200)
      client.token = try token(try await client.grant(credentials(type: "enterprise", id: "456")))
        .accessToken
      #expect(try await client.events().status == 200)
      #expect(simulator.statistics.issuedTokens == 2)
    }
  }

  @Test func refusesWrongCredentials() async throws {
    try await TestClient.run { _, client in
      let wrong = try await client.grant(credentials(secret: "wrong"))
      #expect(wrong.status == 400)
      #expect(wrong.text.contains("invalid_client"))
      for (type, id) in [("user", "999"), ("enterprise", "123"), ("group", "123")] {
        let reply = try await client.grant(credentials(type: type, id: id))
        #expect(reply.status == 400)
        #expect(reply.text.contains("invalid_grant"))
      }
      #expect(try await client.grant(["grant_type": "password"]).text.contains("unsupported_grant_type"))
    }
  }

  @Test func shortLivedTokensExpire() async throws {
    var options = SimulatorOptions()
    options.credentials.tokenLifetime = .zero
    try await TestClient.run(options) { _, client in
      var client = client
      client.token = try token(try await client.grant(credentials())).accessToken
      #expect(try await client.events().status == 401)
    }
  }

  @Test func refreshTokensRotateAndWorkOnce() async throws {
    try await TestClient.run { simulator, client in
      func refresh(_ token: String) async throws -> TestClient.Reply {
        try await client.grant([
          "grant_type": "refresh_token", "refresh_token": token, "client_id": "simulator-client",
          "client_secret": "simulator-secret",
        ])
      }
      let first = try token(try await refresh("simulator-refresh-token"))
      let next = try #require(first.refreshToken)
      #expect(simulator.refreshTokens == [next])
      let again = try await refresh("simulator-refresh-token")
      #expect(again.status == 400)
      #expect(again.text.contains(#""error":"invalid_grant""#))
      #expect(simulator.violations.map(\.kind) == [.spentRefreshToken])
      #expect(try token(try await refresh(next)).refreshToken != next)
    }
  }

  @Test func loginRedirectsWithACodeThatWorksOnce() async throws {
    try await TestClient.run { simulator, client in
      let page = try await client.send(
        .GET,
        simulator.authorizeURL
          + "?response_type=code&client_id=simulator-client&state=s1&redirect_uri=http%3A%2F%2Flocalhost%2Fcb"
      )
      #expect(page.status == 302)
      let target = try #require(page.headers.first(name: "location"))
      let match = try #require(target.firstMatch(of: #/^http:\/\/localhost\/cb\?code=(\w+)&state=s1$/#))
      let fields: KeyValuePairs = [
        "grant_type": "authorization_code", "code": String(match.1), "client_id": "simulator-client",
        "client_secret": "simulator-secret",
      ]
      #expect(try token(try await client.grant(fields)).refreshToken != nil)
      #expect(try await client.grant(fields).status == 400)
    }
  }

  // MARK: Assertions

  private func assertion(
    _ simulator: BoxSimulator, algorithm: String = "RS256", kid: String = SimulatorKey.publicKeyID,
    claims change: [String: String] = [:], lifetimeSeconds: Int = 45
  ) throws -> KeyValuePairs<String, String> {
    let settings = try JSONDecoder().decode(
      Settings.self, from: Data(simulator.options.credentials.jwtSettings.utf8))
    let auth = settings.boxAppSettings.appAuth
    let key = try _RSA.Signing.PrivateKey(encryptedPEMRepresentation: auth.privateKey) { setter in
      setter(Array(auth.passphrase.utf8))
    }
    let expiry = Int(Date().timeIntervalSince1970) + lifetimeSeconds
    var claims = [
      "iss": "\"simulator-client\"", "sub": "\"123\"", "box_sub_type": "\"user\"",
      "aud": "\"\(simulator.tokenURL)\"", "jti": "\"\(UUID().uuidString)\"", "exp": "\(expiry)",
    ]
    claims.merge(change) { $1 }
    let body = "{" + claims.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    let signed = base64URL(#"{"alg":"\#(algorithm)","kid":"\#(kid)","typ":"JWT"}"#) + "." + base64URL(body)
    let signature = try sign(signed, algorithm, key)
    return [
      "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id": "simulator-client",
      "client_secret": "simulator-secret", "assertion": signed + "." + signature,
    ]
  }

  private func sign(_ text: String, _ algorithm: String, _ key: _RSA.Signing.PrivateKey) throws -> String {
    let data = Data(text.utf8)
    let padding = _RSA.Signing.Padding.insecurePKCS1v1_5
    let signature =
      switch algorithm {
      case "RS384": try key.signature(for: SHA384.hash(data: data), padding: padding)
      case "RS512": try key.signature(for: SHA512.hash(data: data), padding: padding)
      default: try key.signature(for: SHA256.hash(data: data), padding: padding)
      }
    return base64URL(signature.rawRepresentation)
  }

  private func base64URL(_ text: String) -> String { base64URL(Data(text.utf8)) }

  private func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  @Test(arguments: ["RS256", "RS384", "RS512"])
  func assertions(algorithm: String) async throws {
    try await TestClient.run { simulator, client in
      let reply = try await client.grant(try assertion(simulator, algorithm: algorithm))
      var client = client
      client.token = try token(reply).accessToken
      #expect(try await client.events().status == 200)
    }
  }

  @Test func checksEveryClaim() async throws {
    try await TestClient.run { simulator, client in
      let now = Int(Date().timeIntervalSince1970)
      for (claim, value) in [
        ("iss", "\"other\""), ("aud", "\"https://example.com\""), ("jti", "\"short\""), ("exp", "\(now - 5)"),
        ("exp", "\(now + 300)"), ("exp", "\(now + 30).0"),
      ] {
        let reply = try await client.grant(try assertion(simulator, claims: [claim: value]))
        #expect(reply.status == 400)
        #expect(reply.text.contains("'\(claim)' claim"), "\(reply.text)")
        #expect(reply.headers.contains(name: "date"))
      }
      let stranger = try await client.grant(try assertion(simulator, claims: ["sub": "\"999\""]))
      #expect(stranger.text.contains("invalid_grant"))
      let unknownKey = try await client.grant(try assertion(simulator, kid: "other"))
      #expect(unknownKey.text.contains("'kid' claim"))
      let noneAtAll = try await client.grant(try assertion(simulator, algorithm: "HS256"))
      #expect(noneAtAll.text.contains("signature is invalid"))
    }
  }

  @Test func anAssertionWorksOnce() async throws {
    try await TestClient.run { simulator, client async throws in
      let fields = try assertion(simulator)
      #expect(try await client.grant(fields).status == 200)
      let again = try await client.grant(fields)
      #expect(again.status == 400)
      #expect(again.text.contains("'jti' claim"))
      #expect(simulator.violations.map(\.kind) == [.repeatedAssertion])
    }
  }

  @Test func refusesAnAssertionFromASlowClock() async throws {
    var options = SimulatorOptions()
    options.clockOffset = .seconds(3600)
    try await TestClient.run(options) { simulator, client async throws in
      #expect(try await client.grant(try assertion(simulator)).text.contains("'exp' claim"))
      #expect(try await client.grant(try assertion(simulator, lifetimeSeconds: 3645)).status == 200)
    }
  }
}
