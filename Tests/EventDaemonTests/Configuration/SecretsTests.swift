import BoxEvents
import Testing

@testable import EventDaemon

@Suite struct SecretsTests {
  private let folder: TemporaryFolder
  private var configuration = Configuration(auth: .init(method: .clientCredentials), streams: [])

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ configuration: Configuration, _ environment: [String: String] = [:]) -> String {
    do {
      _ = try Secrets(for: configuration, environment: environment)
      return ""
    } catch {
      return error.description
    }
  }

  @Test func aCredentialWinsOverAFile() throws {
    var configuration = configuration
    configuration.auth.clientSecretFile = try folder.write("file", "from the file")
    let fromFile = try Secrets(for: configuration, environment: ["CREDENTIALS_DIRECTORY": folder.path])
    #expect(fromFile.clientSecret?.reveal() == "from the file")
    try folder.write("client-secret", "from systemd\n", mode: 0o444)
    let secrets = try Secrets(for: configuration, environment: ["CREDENTIALS_DIRECTORY": folder.path])
    #expect(secrets.clientSecret?.reveal() == "from systemd")
    #expect(secrets != fromFile)
    #expect(secrets.proxyAuth == nil)
  }

  @Test(arguments: Configuration.Auth.Method.allCases)
  func eachMethodNeedsItsSecret(method: Configuration.Auth.Method) throws {
    var configuration = configuration
    configuration.auth.method = method
    let kind = configuration.secretKinds[0]
    let message = refusal(configuration)
    #expect(message.hasPrefix("no \(kind.rawValue): method \"\(method.rawValue)\" needs it\n"))
    #expect(message.contains(kind.key))
    try folder.write(kind.rawValue, "canary")
    let secrets = try Secrets(for: configuration, environment: ["CREDENTIALS_DIRECTORY": folder.path])
    let read = [secrets.clientSecret, secrets.jwtSettings, secrets.accessToken].compactMap(\.self)
    #expect(read.map { $0.reveal() } == ["canary"])
  }

  @Test func allMissingSecretsAreNamed() {
    var configuration = configuration
    configuration.box.proxyAuthFile = "/nowhere"
    let message = refusal(configuration, ["CREDENTIALS_DIRECTORY": "/no/such/folder"])
    #expect(message.contains("no client-secret"))
    #expect(message.contains("proxy-auth, /nowhere: no such file"))
  }

  @Test func theProxysSecretIsReadToo() throws {
    var configuration = configuration
    configuration.auth.clientSecretFile = try folder.write("a", "x")
    configuration.box.proxyAuthFile = try folder.write("b", "user:password")
    #expect(try Secrets(for: configuration, environment: [:]).proxyAuth?.reveal() == "user:password")
  }
}
