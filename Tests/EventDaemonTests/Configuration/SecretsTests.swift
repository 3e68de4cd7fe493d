import BoxEvents
import Glibc
import Testing

@testable import EventDaemon

@Suite struct SecretsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(
    _ bytes: [UInt8], _ kind: SecretFile.Kind = .clientSecret, mode: mode_t = 0o600,
    isCredential: Bool = false
  ) throws -> String {
    refusal(try folder.write("secret", bytes, mode: mode), kind, isCredential: isCredential)
  }

  private func refusal(
    _ path: String, _ kind: SecretFile.Kind = .clientSecret, isCredential: Bool = false
  ) -> String {
    do {
      _ = try SecretFile(kind: kind, path: path, isCredential: isCredential).read()
      return ""
    } catch {
      #expect(!error.description.contains("canary"))
      return error.description.replacing(folder.path, with: "")
    }
  }

  @Test(arguments: ["canary", "canary\n", "canary\r\n", "\u{FEFF}canary", "\u{FEFF}canary\r\n"])
  func readsSecretWithoutNewline(text: String) throws {
    let path = try folder.write("secret", text)
    let secret = try SecretFile(kind: .clientSecret, path: path, isCredential: false).read()
    #expect(secret.reveal() == "canary")
    #expect("\(secret)" == "<redacted>")
  }

  @Test func refusesInvalidContents() throws {
    #expect(try refusal([]) == "client-secret, /secret: empty\n  Write the secret into it.")
    #expect(try refusal(Array("\n".utf8)).contains(": empty\n"))
    #expect(try refusal(Array("  \n\n".utf8)).contains(": empty\n"))
    #expect(try refusal(Array("canary\ncanary".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\n\n".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\r\ncanary".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\0".utf8)).contains(": not text\n"))
    #expect(try refusal(Array("\u{FEFF}\n".utf8)).contains(": empty\n"))
    #expect(
      try refusal(Array("canary\u{FEFF}".utf8)).contains(": contains spaces or characters outside ASCII\n"))
    #expect(try refusal([0xff, 0xfe]).contains(": not text\n"))
    #expect(try refusal([UInt8](repeating: 0x61, count: 65_537)).contains(": larger than 64 KiB\n"))
    #expect(try refusal(Array("{\n}\n".utf8), .jwtSettings) == "")
    for text in ["canary canary", "canáry", "canary\u{7f}"] {
      #expect(try refusal(Array(text.utf8)).contains(": contains spaces or characters outside ASCII\n"))
    }
    #expect(try refusal(Array(" canary ".utf8)) == "")
  }

  @Test(arguments: [0o604, 0o602, 0o601, 0o666, 0o777, 0o660, 0o620] as [mode_t])
  func refusesFilesOpenToOthers(mode: mode_t) throws {
    let message = try refusal(Array("canary".utf8), mode: mode)
    #expect(
      message.hasPrefix(
        "client-secret, /secret: open to others (mode 0\(String(mode, radix: 8)))\n  Run: chmod 6")
    )
    #expect(try refusal(Array("canary".utf8), mode: mode, isCredential: true) == "")
  }

  @Test func acceptsGroupReadOfRootsFileOnly() throws {
    let message = try refusal(Array("canary".utf8), mode: 0o640)
    #expect(message.isEmpty == (geteuid() == 0))
    #expect(try refusal(Array("canary".utf8), mode: 0o400) == "")
  }

  @Test(.enabled(if: geteuid() == 0)) func refusesAnotherUsersFile() throws {
    let path = try folder.write("secret", "canary")
    #expect(chown(path, 12_345, 0) == 0)
    #expect(refusal(path).hasPrefix("client-secret, /secret: belongs to another user (12345)\n  Run: chown "))
  }

  @Test func refusesMissingAndSpecialFiles() throws {
    #expect(
      refusal(folder.path + "/none")
        == "client-secret, /none: no such file\n"
        + "  Write the secret into it, or name another file with client_secret_file in [auth].")
    #expect(refusal(try folder.folder("dir")).hasPrefix("client-secret, /dir: not a regular file\n"))
    let fifo = folder.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(refusal(fifo).hasPrefix("client-secret, /fifo: not a regular file\n"))
    let link = folder.path + "/link"
    #expect(symlink("/nowhere/at/all", link) == 0)
    #expect(refusal(link).hasPrefix("client-secret, /link: no such file\n"))
  }

  @Test func explainsErrorsOfTheSystem() {
    let denied = FileContents.Refusal.failed(EACCES, "/x")
    #expect(denied.message == "permission denied")
    #expect(denied.hint.contains("/x"))
    #expect(FileContents.Refusal.failed(EIO, "/x").message == "Input/output error")
  }

  // MARK: Who may read a file

  private func isAccepted(mode: mode_t, owner: uid_t? = nil, isCredential: Bool = false) throws -> Bool {
    let path = try folder.write("secret", "canary", mode: mode)
    if let owner { try #require(chown(path, owner, gid_t.max) == 0) }
    do {
      return try SecretFile(kind: .clientSecret, path: path, isCredential: isCredential).read()
        == Secret("canary")
    } catch {
      return false
    }
  }

  @Test(
    .enabled(if: geteuid() == 0), arguments: [(0o600, true), (0o640, true), (0o440, true), (0o400, true)])
  func acceptsRootsFileReadByGroup(mode: mode_t, accepted: Bool) throws {
    #expect(try isAccepted(mode: mode) == accepted)
  }

  @Test(arguments: [0o604, 0o660, 0o620, 0o644, 0o666, 0o602, 0o601] as [mode_t])
  func refusesFileOpenToOthersOrWrittenByGroup(mode: mode_t) throws {
    #expect(try !isAccepted(mode: mode))
  }

  /// The service's user, which isn't root, also where this test is.
  private static let user: uid_t = geteuid() == 0 ? 12_345 : geteuid()

  /// What is refused to a user that isn't root.
  private func refusal(mode: mode_t, owner: uid_t) throws -> String {
    let path = try folder.write("secret", "canary", mode: mode)
    if owner != geteuid() { try #require(chown(path, owner, gid_t.max) == 0) }
    do {
      _ = try SecretFile(kind: .clientSecret, path: path, isCredential: false).read(as: Self.user)
      return ""
    } catch {
      return error.description.replacing(folder.path, with: "")
    }
  }

  @Test(arguments: [0o640, 0o660, 0o620, 0o610, 0o604, 0o644] as [mode_t])
  func refusesItsUsersFileReadByGroup(mode: mode_t) throws {
    #expect(
      try refusal(mode: mode, owner: Self.user)
        == "client-secret, /secret: open to others (mode 0\(String(mode, radix: 8)))\n  Run: chmod 600 /secret."
    )
  }

  /// chmod would change what the link points to.
  @Test func namesTheFileAtTheEndOfALink() throws {
    let (file, link) = (try folder.write("secret", "canary", mode: 0o644), "\(folder.path)/link")
    try #require(symlink(file, link) == 0)
    let error = #expect(throws: ConfigurationError.self) {
      try SecretFile(kind: .clientSecret, path: link, isCredential: false).read()
    }
    #expect(error?.description.contains("chmod 600 ") == true || geteuid() == 0)
    #expect(error?.description.contains("/secret: open to others") == true)
    #expect(error?.description.contains("/link") == false)
  }

  @Test(arguments: [0o600, 0o400] as [mode_t]) func acceptsItsUsersFile(mode: mode_t) throws {
    #expect(try refusal(mode: mode, owner: Self.user) == "")
  }

  @Test(.enabled(if: geteuid() == 0)) func tellsItsUserWhatRootMustDo() throws {
    let group = getgrgid(getegid()).map { String(cString: $0.pointee.gr_name) } ?? "\(getegid())"
    #expect(try refusal(mode: 0o640, owner: 0) == "")
    #expect(
      try refusal(mode: 0o644, owner: 0)
        == "client-secret, /secret: open to others (mode 0644)\n"
        + "  Run: chown root:\(group) /secret && chmod 640 /secret.")
  }

  @Test func refusesAnotherUsersFileAsAnyUser() throws {
    let (user, path) = (Self.user + 1, try folder.write("secret", "canary"))
    if geteuid() == 0 { try #require(chown(path, Self.user, gid_t.max) == 0) }
    let error = #expect(throws: ConfigurationError.self) {
      try SecretFile(kind: .clientSecret, path: path, isCredential: false).read(as: user)
    }
    #expect(
      error?.description
        == "client-secret, \(path): belongs to another user (\(Self.user))\n"
        + "  Run: chown \(user) \(path) && chmod 600 \(path).")
  }

  @Test func acceptsAnyModeOfCredential() throws {
    #expect(try isAccepted(mode: 0o444, isCredential: true))
  }

  /// systemd names an absolute path.
  @Test(arguments: ["", "relative", "."])
  func ignoresRelativeCredentialsFolder(folder: String) throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal("auth", "client_secret_file = \"/from/the/configuration\""))
    let file = try configuration.secretFile(.clientSecret, environment: ["CREDENTIALS_DIRECTORY": folder])
    #expect(file?.path == "/from/the/configuration")
    #expect(file?.isCredential == false)
  }

  // MARK: Where a configuration's secrets are

  private func secretsRefusal(_ configuration: Configuration, _ environment: [String: String] = [:]) -> String
  {
    do {
      try configuration.checkSecrets(environment: environment)
      return ""
    } catch {
      return error.description
    }
  }

  @Test func prefersCredentialToFile() throws {
    var configuration = Configuration()
    configuration.auth.clientSecretFile = try folder.write("file", "from-the-file")
    let environment = ["CREDENTIALS_DIRECTORY": folder.path]
    #expect(try configuration.secret(.clientSecret, environment: environment) == Secret("from-the-file"))
    try folder.write("client-secret", "from-systemd\n", mode: 0o444)
    #expect(try configuration.secret(.clientSecret, environment: environment) == Secret("from-systemd"))
    #expect(try configuration.secret(.proxyAuth, environment: environment) == nil)
  }

  @Test(arguments: Configuration.Auth.Method.allCases)
  func requiresSecretOfMethod(method: Configuration.Auth.Method) throws {
    var configuration = Configuration()
    configuration.auth.method = method
    let kind = configuration.secretKinds[0]
    let message = secretsRefusal(configuration)
    #expect(message.hasPrefix("missing \(kind.rawValue): method \"\(method.rawValue)\" needs it\n"))
    configuration.unit = "box-eventd@work"
    #expect(secretsRefusal(configuration).contains("/etc/credstore/box-eventd@work.\(kind.rawValue), "))
    let key = try #require(ConfigurationKeys.key(of: kind))
    #expect(message.contains("\(key.key.name) in \(key.table.header)"))
    try folder.write(kind.rawValue, "canary")
    let environment = ["CREDENTIALS_DIRECTORY": folder.path]
    try configuration.checkSecrets(environment: environment)
    #expect(try configuration.secret(kind, environment: environment) == Secret("canary"))
  }

  @Test func reportsAllMissingSecrets() {
    var configuration = Configuration()
    configuration.box.proxyAuthFile = "/nowhere"
    let message = secretsRefusal(configuration, ["CREDENTIALS_DIRECTORY": "/no/such/folder"])
    #expect(message.contains("missing client-secret"))
    #expect(message.contains("proxy-auth, /nowhere: no such file"))
  }

  /// Root has started the daemon by hand: the unit's credential is there, and it doesn't get it.
  @Test(.enabled(if: geteuid() == 0)) func tellsRootThatOnlyTheServiceSeesItsCredentials() throws {
    var configuration = Configuration()
    configuration.unit = "box-eventd@test-\(getpid())"
    let store = "/run/credstore"
    let isMade = mkdir(store, 0o700) == 0
    let path = "\(store)/\(configuration.unit).client-secret"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try #require(descriptor >= 0)
    close(descriptor)
    defer {
      unlink(path)
      if isMade { rmdir(store) }
    }
    #expect(
      secretsRefusal(configuration)
        == "missing client-secret: method \"client-credentials\" needs it\n"
        + "  Only the service sees the unit's credentials. Run: systemctl start \(configuration.unit). Or name the "
        + "secret's file with client_secret_file in [auth].")
    #expect(
      secretsRefusal(configuration, ["CREDENTIALS_DIRECTORY": folder.path]).contains("  Write it into /etc/"))
  }

  /// After Box's 401.
  @Test func tellsHowToReplaceAnAccessToken() {
    let credential = SecretFile(kind: .accessToken, path: "/run/credentials/x", isCredential: true)
    #expect(
      credential.renewalHint(unit: "box-eventd@work")
        == "Write a new token into /etc/credstore/box-eventd@work.access-token, or where else the unit's credential "
        + "comes from, then run: systemctl restart box-eventd@work.")
    let file = SecretFile(kind: .accessToken, path: "/srv/token", isCredential: false)
    #expect(
      file.renewalHint(unit: "box-eventd") == "Write a new token into /srv/token; it is read again by itself."
    )
  }

  @Test func readsProxysSecret() throws {
    var configuration = Configuration()
    configuration.auth.clientSecretFile = try folder.write("a", "x")
    configuration.box.proxyAuthFile = try folder.write("b", "user:password")
    #expect(try configuration.secret(.proxyAuth, environment: [:]) == Secret("user:password"))
  }
}
