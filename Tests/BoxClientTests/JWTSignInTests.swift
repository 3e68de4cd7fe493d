import BoxEvents
import CryptoExtras
import FoundationEssentials
import JWTKit
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct JWTSignInTests {
  static let now = BoxTime(secondsSince1970: 1_700_000_000)

  static func settings(
    key: String = TestKeys.aes, passphrase: String = TestKeys.passphrase, enterprise: String = "456"
  ) -> String {
    let key = key.replacing("\n", with: "\\n")
    return """
      {"boxAppSettings":{"clientID":"app","clientSecret":"CANARY-secret","appAuth":{"publicKeyID":"\(TestKeys.publicKeyID)",
      "privateKey":"\(key)\\n","passphrase":"\(passphrase)"}},"enterpriseID":"\(enterprise)"}
      """
  }

  /// Reads what the server got as Box would: with the public key.
  func payload(_ request: RecordedRequest) async throws -> JWTAssertion {
    let keys = JWTKeyCollection()
    await keys.add(
      rsa: try Insecure.RSA.PublicKey(pem: TestKeys.publicKey), digestAlgorithm: .sha256, kid: "testkey1")
    return try await keys.verify(try #require(request.field("assertion")), as: JWTAssertion.self)
  }

  func signIn(
    _ file: String, subject: Subject? = nil, _ script: @escaping ScriptedServer.Script
  ) async throws -> (Result<AccessToken, FeedFailure>, ScriptedServer) {
    try await ScriptedServer.run(script) { server in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/oauth2/token"))
        let method = JWTSignIn(
          endpoint: endpoint, settingsFile: { Secret(file) }, subject: subject, localClock: { Self.now })
        do throws(FeedFailure) {
          return (.success(try await method.signIn()), server)
        } catch {
          #expect(!String(describing: error).contains("CANARY"))
          #expect(!String(describing: error).contains(TestKeys.passphrase))
          return (.failure(error), server)
        }
      }
    }
  }

  @Test(arguments: [TestKeys.aes, TestKeys.tripleDES, TestKeys.plain])
  func signsTheAssertionThatBoxExpects(_ key: String) async throws {
    let (result, server) = try await signIn(Self.settings(key: key)) { _, _ in
      .answer(200, ClientCredentialsTests.granted)
    }
    #expect(try result.get().text.reveal() == "CANARY-token")
    let request = try #require(server.requests.first)
    #expect(request.field("grant_type") == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer")
    #expect(request.field("client_id") == "app")
    #expect(request.field("client_secret") == "CANARY-secret")
    let payload = try await payload(request)
    #expect(payload.iss == "app")
    #expect(payload.sub == "456" && payload.subjectType == "enterprise")
    #expect(payload.aud == server.origin + "/oauth2/token")
    #expect(payload.exp == Self.now.secondsSince1970 + 45)
    #expect(16...128 ~= payload.jti.count)
    let parts = try #require(request.field("assertion")).split(separator: ".")
    let header = try #require(
      Data(base64Encoded: String(parts[0]) + "===".prefix((4 - parts[0].count % 4) % 4)))
    let document = try #require(JSONDocument(Array(header)))
    #expect(document["alg"].text == "RS256" && document["kid"].text == TestKeys.publicKeyID)
  }

  @Test func expIsAnInteger() async throws {
    let (_, server) = try await signIn(Self.settings(), subject: Subject("user:123")) { _, _ in
      .answer(200, ClientCredentialsTests.granted)
    }
    var claims = String(try #require(server.requests[0].field("assertion")).split(separator: ".")[1])
    claims = claims.replacing("-", with: "+").replacing("_", with: "/")
    claims += "===".prefix((4 - claims.count % 4) % 4)
    let data = try #require(Data(base64Encoded: claims))
    let document = try #require(JSONDocument(Array(data)))
    #expect(document["exp"].text == "1700000045")
    #expect(document["box_sub_type"].text == "user" && document["sub"].text == "123")
  }

  @Test(arguments: ["Please check the 'exp' claim.", "Please check the 'jti' claim. It must be unique."])
  func correctsTheClockByTheAnswersDate(_ description: String) async throws {
    let (result, server) = try await signIn(Self.settings()) { _, index in
      index == 0
        ? .answer(
          400, #"{"error":"invalid_grant","error_description":"\#(description)"}"#,
          headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"])
        : .answer(200, ClientCredentialsTests.granted)
    }
    #expect(try result.get().text.reveal() == "CANARY-token")
    #expect(server.requests.count == 2)
    let (first, second) = (try await payload(server.requests[0]), try await payload(server.requests[1]))
    #expect(second.exp == 784_111_777 + 45)
    #expect(first.jti != second.jti)
  }

  @Test func correctsTheClockOnce() async throws {
    let (result, server) = try await signIn(Self.settings()) { request, _ in
      .answer(
        400,
        #"{"error":"invalid_grant","error_description":"bad 'exp': \#(request.field("assertion") ?? "")"}"#,
        headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"])
    }
    #expect(server.requests.count == 2)
    guard case .failure(let failure) = result else { throw FeedFailure(.unreadable, "signed in") }
    #expect(failure.code == .signInRefused)
    #expect(failure.message == "the token endpoint answered 400 (invalid_grant): bad 'exp': <redacted>")
  }

  @Test func doesNotRetryOtherErrors() async throws {
    let (_, server) = try await signIn(Self.settings()) { _, _ in
      .answer(
        400, #"{"error":"invalid_grant","error_description":"Check the 'sub'"}"#,
        headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"])
    }
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [
    ("", "the JWT settings file is empty"), ("no JSON", "the JWT settings file is not JSON"),
    (
      #"{"boxAppSettings":{"clientSecret":"CANARY"}}"#,
      "the JWT settings file lacks boxAppSettings.clientID, boxAppSettings.appAuth.publicKeyID, "
        + "boxAppSettings.appAuth.privateKey"
    ),
    (settings(enterprise: ""), "neither subject in [auth] nor enterpriseID in the JWT settings file is set"),
    (
      settings(passphrase: "naïve"),
      "the passphrase in the JWT settings file is too long or not ASCII"
    ),
    (
      settings(passphrase: String(repeating: "x", count: 1001)),
      "the passphrase in the JWT settings file is too long or not ASCII"
    ),
    (
      settings(passphrase: ""),
      "the private key in the JWT settings file is encrypted, and the passphrase is missing"
    ),
    (
      settings(passphrase: "wrong"),
      "the private key in the JWT settings file can't be decrypted with its passphrase"
    ),
    (
      settings(key: TestKeys.sha512),
      "the private key in the JWT settings file is encrypted with HMAC-SHA512, which is not supported"
    ),
    (
      settings(key: TestKeys.scrypt),
      "the private key in the JWT settings file is encrypted with scrypt, which is not supported"
    ),
    (settings(key: "nonsense"), "the private key in the JWT settings file is not a PEM private key"),
    (
      settings(key: TestKeys.publicKey),
      "the private key in the JWT settings file is not a PEM private key"
    ),
    // An EC key.
    (settings(key: TestCertificates.key), "the private key in the JWT settings file is not an RSA key"),
    (
      settings(key: String(TestKeys.plain.prefix(200)) + "\n-----END PRIVATE KEY-----"),
      "the private key in the JWT settings file is damaged or shorter than 2048 bits"
    ),
    (
      settings(key: TestKeys.aes.replacing("M", with: "N")),
      "the private key in the JWT settings file can't be decrypted with its passphrase"
    ),
  ])
  func explainsWhatIsWrongWithTheFile(_ file: String, _ message: String) async throws {
    let (result, server) = try await signIn(file) { _, _ in .answer(200, ClientCredentialsTests.granted) }
    guard case .failure(let failure) = result else { throw FeedFailure(.unreadable, "signed in") }
    #expect(failure.code == .signInRefused)
    #expect(failure.message == message)
    #expect(server.requests.isEmpty)
  }
}
