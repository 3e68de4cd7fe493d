import BoxEvents
import Glibc
import ScriptedHTTP
import Spool
import TestDisks
import TestSystem
import Testing

@testable import EventDaemon

@Suite struct ConfigurationCheckTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.folder("spool")
    try folder.folder("state")
    try folder.folder("run")
    try folder.write("secret", "canary")
  }

  /// A configuration that is fine, with lines added to its tables.
  private func check(
    auth: String? = nil, box: String = "", stream: String = "", spool: String? = nil, listen: String = "",
    on disk: any Disk = LocalDisk()
  ) throws -> ConfigurationCheck {
    let path = folder.path
    let text = """
      [box]
      \(box)
      [auth]
      \(auth ?? "client_id = \"id\"\nsubject = \"user:1\"\nclient_secret_file = \"\(path)/secret\"")
      [spool]
      directory = "\(spool ?? "\(path)/spool")"
      [state]
      directory = "\(path)/state"
      [status]
      socket = "\(path)/run/status.sock"
      listen = "\(listen)"
      [[stream]]
      name = "default"
      \(stream)
      """
    return ConfigurationCheck(try folder.write("c.toml", text), environment: [:], on: disk)
  }

  private func problems(_ check: ConfigurationCheck) -> [String] {
    check.findings.filter { $0.kind == .problem }.map {
      #expect(!$0.message.contains("canary") && $0.hint?.isEmpty == false)
      return $0.message.replacing(folder.path, with: "")
    }
  }

  @Test func acceptsConfiguration() throws {
    let check = try check()
    #expect(check.isFine)
    #expect(
      check.findings.map { $0.message.replacing(folder.path, with: "") } == [
        "/c.toml: 1 stream, signing in with \"client-credentials\"",
        "about 9 283 calls to Box in 30 days at rest: events 4 249, options 4 249, token 785",
        "client-secret, from /secret",
        "[spool] directory, /spool", "[state] directory, /state", "the folder of [status] socket, /run",
      ])
    #expect(check.findings.allSatisfy { $0.kind == .fine })
  }

  private func estimate(_ check: ConfigurationCheck) -> String? {
    check.findings.map(\.message).first { $0.contains(" calls to Box ") }
  }

  /// Streams add up, subjects count once, and whoever renews a token from outside makes those calls.
  @Test func estimatesTheCallsAtRest() throws {
    let more = "[[stream]]\nname = \"b\"\n[[stream]]\nname = \"c\"\nsubject = \"user:2\""
    #expect(
      estimate(try check(stream: more))
        == "about 27 064 calls to Box in 30 days at rest: events 12 747, options 12 747, token 1 570")
    let auth = "method = \"access-token\"\naccess_token_file = \"\(folder.path)/secret\""
    #expect(
      estimate(try check(auth: auth, stream: "type = \"admin_logs\""))
        == "about 86 400 calls to Box in 30 days at rest: events 86 400")
    #expect(estimate(ConfigurationCheck(folder.path + "/c.toml", environment: [:], isReload: true)) == nil)
  }

  @Test(arguments: [(1, "admin_logs", true), (3, "admin_logs", false), (1, "all", false)])
  func notesABudgetThatIsTooSmallAtRest(limit: Int, type: String, isNoted: Bool) throws {
    let check = try check(box: "calls_per_minute = \(limit)", stream: "type = \"\(type)\"")
    #expect(check.isFine)
    let note = "calls_per_minute in [box] is 1: the streams need about 3 at rest"
    #expect(check.findings.filter { $0.kind == .note }.map(\.message) == (isNoted ? [note] : []))
  }

  @Test func reportsOnlyProblemsOfInvalidConfiguration() throws {
    let check = try check(stream: "type = \"no\"\nas_user = \"me\"")
    #expect(problems(check).count == 2)
    #expect(check.findings.count == 2)
    #expect(check.configuration == nil)
  }

  @Test func refusesInvalidSecrets() throws {
    try folder.write("spaced", "canary canary")
    try folder.write("open", "canary", mode: 0o644)
    let auth = "client_id = \"id\"\nsubject = \"user:1\"\nclient_secret_file = \"\(folder.path)"
    #expect(problems(try check(auth: auth + "/none\"")) == ["client-secret, /none: no such file"])
    #expect(
      problems(try check(auth: auth + "/open\"")) == ["client-secret, /open: open to others (mode 0644)"])
    #expect(
      problems(try check(auth: auth + "/spaced\"")) == [
        "client-secret, /spaced: contains spaces or characters outside ASCII"
      ])
    #expect(
      problems(try check(auth: "client_id = \"id\"\nsubject = \"user:1\"")) == [
        "missing client-secret: method \"client-credentials\" needs it"
      ])
  }

  /// systemd 257 runs `ExecReload=` without `$CREDENTIALS_DIRECTORY`.
  @Test func leavesCredentialsThatAReloadCannotSeeToTheService() throws {
    let auth = "client_id = \"id\"\nsubject = \"user:1\""
    _ = try check(auth: auth)
    let path = folder.path + "/c.toml"
    let reload = ConfigurationCheck(path, environment: [:], isReload: true)
    #expect(reload.isFine)
    #expect(reload.findings.count { $0.kind == .note } == 1)
    // One that can be seen is checked, and so is a file that a key names.
    try folder.write("client-secret", "canary canary")
    let seen = ConfigurationCheck(path, environment: ["CREDENTIALS_DIRECTORY": folder.path], isReload: true)
    #expect(problems(seen).count == 1)
    _ = try check(auth: auth + "\nclient_secret_file = \"\(folder.path)/none\"")
    #expect(
      problems(ConfigurationCheck(path, environment: [:], isReload: true)) == [
        "client-secret, /none: no such file"
      ])
  }

  @Test func notesAFileThatACredentialReplaces() throws {
    _ = try check()
    try folder.write("client-secret", "canary")
    let check = ConfigurationCheck(
      folder.path + "/c.toml", environment: ["CREDENTIALS_DIRECTORY": folder.path],
      credentials: [.clientSecret: .file("/etc/credstore/box-eventd.client-secret", isNew: false)])
    #expect(
      check.findings.filter { $0.kind != .fine }.map(\.message) == [
        "client_secret_file is not used: the unit's credential client-secret wins"
      ])
  }

  /// Root's check reads what the next start gets, from a copy of the file that it names.
  @Test func namesWhereACredentialComesFrom() throws {
    _ = try check(auth: "client_id = \"id\"\nsubject = \"user:1\"")
    let store = "/etc/credstore/box-eventd.client-secret"
    func found(_ origin: CredentialOrigin) -> [(ConfigurationCheck.Finding.Kind, String)] {
      ConfigurationCheck(
        folder.path + "/c.toml", environment: ["CREDENTIALS_DIRECTORY": folder.path],
        credentials: [.clientSecret: origin]
      ).findings.map { ($0.kind, $0.message) }.filter { $0.1.hasPrefix("client-secret") }
    }
    let old = "client-secret: the running service still has the old one"
    let unknown = "client-secret: not in /etc/credstore, where the next start of the service looks for it"
    let unseen = "client-secret: an encrypted credential is seen only while the service runs"
    try folder.write("client-secret", "canary")
    for (origin, expected) in [
      (.file(store, isNew: false), [(.fine, "client-secret, from \(store)")]),
      (.file(store, isNew: true), [(.fine, "client-secret, from \(store)"), (.note, old)]),
      (.service(hasSource: true), [(.fine, "client-secret, from the running service")]),
      (.service(hasSource: false), [(.fine, "client-secret, from the running service"), (.note, unknown)]),
      (.unseen, [(.note, unseen)]),
    ] as [(CredentialOrigin, [(ConfigurationCheck.Finding.Kind, String)])] {
      let found = found(origin)
      #expect(found.map(\.0) == expected.map(\.0) && found.map(\.1) == expected.map(\.1), "\(found)")
    }
    try folder.write("client-secret", "")
    #expect(found(.file(store, isNew: true)).map(\.1) == ["client-secret, \(store): empty"])
  }

  @Test(arguments: ["user", "canary canary", ""])
  func refusesProxysSecretWithoutPassword(text: String) throws {
    try folder.write("proxy", text)
    #expect(problems(try check(box: "proxy_auth_file = \"\(folder.path)/proxy\"")).count == 1)
  }

  @Test func checksAccessTokenAsSigningInDoes() throws {
    let auth = "method = \"access-token\"\naccess_token_file = \"\(folder.path)/token\""
    try folder.write("token", " canary ")
    #expect(try check(auth: auth).isFine)
    for text in ["canary canary", String(repeating: "a", count: 8_193)] {
      try folder.write("token", text)
      #expect(
        problems(try check(auth: auth)) == [
          "access-token, /token: the access token is too long or contains spaces or characters outside ASCII"
        ])
    }
  }

  @Test func refusesInvalidProxyOfEnvironment() throws {
    let path = folder.path + "/c.toml"
    _ = try check()
    let check = ConfigurationCheck(path, environment: ["HTTPS_PROXY": "https://proxy.example:1"])
    #expect(problems(check) == ["HTTPS_PROXY https://proxy.example:1 uses TLS, which is not supported"])
  }

  private static func settings(_ key: String, passphrase: String = TestKeys.passphrase) -> String {
    let key = key.replacing("\n", with: "\\n")
    return """
      {"boxAppSettings":{"clientID":"c","clientSecret":"canary","appAuth":{"publicKeyID":"k",
      "privateKey":"\(key)","passphrase":"\(passphrase)"}},"enterpriseID":"456"}
      """
  }

  private func settingsProblems(_ settings: String, _ auth: String = "") throws -> [String] {
    let path = try folder.write("settings", settings)
    return problems(try check(auth: "method = \"jwt\"\nsettings_file = \"\(path)\"\n\(auth)"))
  }

  @Test(arguments: [TestKeys.aes, TestKeys.tripleDES])
  func acceptsSettingsFile(key: String) throws {
    let settings = Self.settings(key)
    #expect(try settingsProblems(settings) == [])
    #expect(try settingsProblems("\u{FEFF}" + settings) == [])
    let withoutEnterprise = settings.replacing("\"456\"", with: "null")
    #expect(try settingsProblems(withoutEnterprise, "subject = \"user:1\"") == [])
  }

  @Test func acceptsSettingsFileWithPlainKeyAndNoPassphrase() throws {
    let settings = Self.settings(TestKeys.plain, passphrase: "")
    #expect(try settingsProblems(settings) == [])
    #expect(
      try settingsProblems(settings.replacing(",\n", with: ",").replacing("passphrase", with: "other")) == [])
  }

  @Test func refusesInvalidSettingsFile() throws {
    let name = "jwt-settings, /settings: the "
    let settings = Self.settings(TestKeys.aes)
    #expect(try settingsProblems("canary") == [name + "JWT settings file is not JSON"])
    #expect(
      try settingsProblems("[]") == [
        name + "JWT settings file lacks boxAppSettings.clientID, boxAppSettings.clientSecret, "
          + "boxAppSettings.appAuth.publicKeyID, boxAppSettings.appAuth.privateKey"
      ])
    for member in ["clientID", "clientSecret", "appAuth.publicKeyID", "appAuth.privateKey"] {
      let name = member.split(separator: ".").last ?? ""
      let found = try settingsProblems(settings.replacing("\"\(name)\"", with: "\"other\""))
      #expect(found.count == 1 && found[0].hasSuffix(" lacks boxAppSettings.\(member)"), "\(found)")
    }
    #expect(
      try settingsProblems(settings.replacing("ENCRYPTED PRIVATE KEY", with: "CAT")) == [
        name + "private key in the JWT settings file is not a PEM private key"
      ])
    #expect(
      try settingsProblems(Self.settings(TestKeys.aes, passphrase: "é")) == [
        name + "passphrase in the JWT settings file is too long or not ASCII"
      ])
    #expect(
      try settingsProblems(Self.settings(TestKeys.aes, passphrase: "")) == [
        name + "private key in the JWT settings file is encrypted, and the passphrase is missing"
      ])
    #expect(
      try settingsProblems(Self.settings(TestKeys.aes, passphrase: "canary")) == [
        name + "private key in the JWT settings file can't be decrypted with its passphrase"
      ])
    #expect(
      try settingsProblems(settings.replacing("\"456\"", with: "null")) == [
        "jwt-settings, /settings: neither subject in [auth] nor enterpriseID in the JWT settings file is set"
      ])
  }

  @Test func notesFileOfAnotherMethod() throws {
    let check = try check(
      auth: "method = \"access-token\"\naccess_token_file = \"\(folder.path)/secret\"\nsettings_file = \"/x\""
    )
    #expect(check.isFine)
    #expect(
      check.findings.filter { $0.kind == .note }.map(\.message) == [
        "settings_file is not used: method is \"access-token\""
      ])
  }

  /// The daemon would run and try again.
  @Test func notesAListenAddressInUse() throws {
    let port = try DeadPort(.silent)
    for host in ["127.0.0.1", "localhost"] {
      let check = try check(listen: "\(host):\(port.port)")
      #expect(check.isFine)
      #expect(
        check.findings.filter { $0.kind == .note }.map(\.message) == [
          "[status] listen, \(host):\(port.port): Address already in use"
        ])
    }
    #expect(ConfigurationCheck.listeners(on: Int(port.port)) == [geteuid()])
    let absent = try check(listen: "192.0.2.1:9464")
    #expect(
      absent.findings.filter { $0.kind == .note }.map(\.message) == [
        "[status] listen, 192.0.2.1:9464: Cannot assign requested address"
      ])
    let chosen = try check(listen: "127.0.0.1:0")
    #expect(chosen.findings.allSatisfy { $0.kind == .fine })
  }

  /// What the daemon can do without.
  @Test func notesWhatAFileSystemLacks() throws {
    let disk = PlainDisk(LocalDisk(), linkErrno: EPERM, directorySyncErrno: EINVAL)
    let check = try check(on: disk)
    #expect(check.isFine)
    let notes = check.findings.filter { $0.kind == .note }
    #expect(
      notes.map { $0.message.replacing(folder.path, with: "") } == [
        "[spool] directory, /spool: its file system can't sync directories",
        "[spool] directory, /spool: its file system doesn't have symbolic links",
        "[state] directory, /state: its file system can't sync directories",
      ])
    #expect(notes.allSatisfy { $0.hint != nil })
  }

  /// What it can't do without: the words are those of the start, and so is what to do.
  @Test func refusesAFileSystemThatLacksMore() throws {
    let probe = ".check-\(getpid())"
    for (disk, message, hint) in [
      (PlainDisk(LocalDisk(), lockErrno: ENOLCK), "cannot lock /", "Its file system can't lock files now."),
      (PlainDisk(LocalDisk(), modeErrno: EPERM), "cannot set the mode of /", "Mount FAT, exFAT or CIFS"),
    ] {
      let check = try check(on: disk)
      #expect(
        problems(check).map { $0.prefix { $0 != ":" } } == ["[spool] directory", "[state] directory"])
      for (problem, name) in zip(check.findings.filter { $0.kind == .problem }, ["spool", "state"]) {
        let path = "\(name)/\(probe): "
        #expect(problem.message.replacing(folder.path, with: "").contains(message + path))
        #expect(problem.hint?.contains(hint) == true)
      }
    }
  }

  /// Nothing that it has tried out with stays.
  @Test func leavesNothingBehind() throws {
    for disk in [
      PlainDisk(LocalDisk()), PlainDisk(LocalDisk(), linkErrno: EIO),
      PlainDisk(LocalDisk(), lockErrno: ENOLCK),
      PlainDisk(LocalDisk(), modeErrno: EPERM), PlainDisk(LocalDisk(), directorySyncErrno: EIO),
    ] {
      _ = try check(on: disk)
      for name in ["spool", "state"] {
        let directory = try DiskDirectory.root("\(folder.path)/\(name)", on: LocalDisk(), access: .reading)
        defer { directory.close() }
        #expect(try directory.names() == [])
      }
    }
  }

  /// As `run` does, unless it is this configuration's own daemon, which has locked its directories.
  @Test func refusesASocketThatAnotherProcessListensOn() throws {
    let path = folder.path + "/run/status.sock"
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    #expect(SocketAddress.bind(socket, path: path) == 0)
    #expect(try check().isFine)
    #expect(listen(socket, 16) == 0)
    let problem = "[status] socket: can't listen on /run/status.sock: another process listens on it"
    #expect(problems(try check()) == [problem])
    // The daemon has its socket.
    #expect(ConfigurationCheck(folder.path + "/c.toml", environment: [:], isReload: true).isFine)
    try folder.write("spool/.lock", "1\n")
    #expect(problems(try check()) == [problem])
    try folder.write("state/.lock", "\(getpid())\n")
    #expect(try check().isFine)
  }

  @Test func refusesAnotherFileInTheSocketsPlace() throws {
    try folder.write("run/status.sock", "precious")
    #expect(
      problems(try check()) == [
        "[status] socket: can't listen on /run/status.sock: the path exists and is not a socket"
      ])
  }

  @Test func refusesALockThatIsNotTheDaemonsOwnFile() throws {
    try folder.folder("state/.lock")
    #expect(problems(try check()) == ["[state] directory: cannot open /state/.lock: it is a directory"])
  }

  @Test func refusesInvalidDirectories() throws {
    try folder.write("file", "")
    let file = try check(spool: folder.path + "/file")
    #expect(problems(file) == ["[spool] directory, /file: not a directory"])
    #expect(
      problems(try check(spool: folder.path + "/file/x")) == [
        "[spool] directory: cannot open /file/x: Not a directory"
      ])
    try folder.folder("open", mode: 0o707)
    #expect(
      problems(try check(spool: folder.path + "/open")) == [
        "[spool] directory, /open: everybody may write to it"
      ])
    if geteuid() == 0 {
      #expect(chown(try folder.folder("foreign"), 12_345, 0) == 0)
      #expect(
        problems(try check(spool: folder.path + "/foreign")) == [
          "[spool] directory, /foreign: belongs to user 12345, not to 0"
        ])
    } else {
      try folder.folder("closed", mode: 0o500)
      #expect(
        problems(try check(spool: folder.path + "/closed")) == ["[spool] directory, /closed: not writable"])
      #expect(
        problems(try check(spool: folder.path + "/closed/x")) == [
          "[spool] directory, /closed/x: it can't be created"
        ])
    }
  }

  /// The next start makes it, where the file system can.
  @Test func notesAMissingLink() throws {
    let stream = try folder.folder("spool/default")
    #expect(try check().findings.filter { $0.kind != .fine } == [])
    try folder.write("spool/default/events-0000000000000000.ndjson", "")
    #expect(
      try check().findings.filter { $0.kind == .note }.map(\.message) == ["\(stream)/current is missing"])
    #expect(symlink("events-0000000000000000.ndjson", stream + "/current") == 0)
    #expect(try check().findings.filter { $0.kind != .fine } == [])
  }

  /// The next start would block the stream; a reload leaves it to the daemon.
  @Test func refusesAPositionOfAnotherFeed() throws {
    let location = StreamSpool.Location(
      name: "default",
      feed: FeedIdentity(
        api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: nil,
        type: .all),
      spoolRoot: try .root("\(folder.path)/spool", on: LocalDisk(), access: .shared),
      stateRoot: try .root("\(folder.path)/state", on: LocalDisk(), access: .own))
    defer {
      location.spoolRoot.close()
      location.stateRoot.close()
    }
    _ = try StoppedStream(location, bootID: "").set(to: .oldest)
    #expect(try check().findings.filter { $0.kind != .fine } == [])
    let other = try check(stream: "subject = \"user:2\"\ntype = \"changes\"")
    let message =
      "the stream default cannot go on: its position belongs to another feed: "
      + "its subject was user:1 and is user:2, its type was all and is changes"
    #expect(problems(other) == [message])
    #expect(other.findings.contains { $0.hint?.contains("box-eventd position set default ") == true })
    let reload = ConfigurationCheck(folder.path + "/c.toml", environment: [:], isReload: true)
    #expect(reload.findings.filter { $0.kind != .fine }.map(\.message) == [message])
    #expect(reload.isFine)
  }

  /// What can't be read proves nothing.
  @Test func notesAPositionThatCannotBeRead() throws {
    try folder.folder("spool/default")
    try folder.folder("state/default")
    try folder.folder("state/default/stream_position")
    let check = try check()
    #expect(check.isFine)
    let notes = check.findings.filter { $0.kind == .note }.map(\.message)
    #expect(notes.count == 1 && notes[0].hasPrefix("stream default: position not checked: "), "\(notes)")
  }

  @Test func acceptsDirectoriesToBeCreated() throws {
    let check = try check(spool: folder.path + "/a")
    #expect(check.isFine)
    #expect(check.findings.contains { $0.message.hasSuffix("/a: will be created") })
    #expect(
      problems(try self.check(spool: folder.path + "/a/b")) == [
        "[spool] directory, /a/b: its parent folder does not exist"
      ])
  }

  @Test func notesAMissingLogin() throws {
    func notes() throws -> [ConfigurationCheck.Finding] {
      try check(
        auth: "method = \"oauth2\"\nclient_id = \"id\"\nclient_secret_file = \"\(folder.path)/secret\""
      ).findings.filter { $0.kind != .fine }
    }
    #expect(
      try notes() == [
        .init(
          kind: .note, message: "no login yet",
          hint: "Run: box-eventd login --config \(folder.path)/c.toml.")
      ])
    try folder.write("state/refresh_token", "")
    #expect(try notes() == [])
  }

  @Test func refusesAStateInsideOfTheSpool() throws {
    #expect(
      try problems(check(spool: folder.path)).contains(
        "[state] directory, /state, is inside of [spool] directory, "))
  }

  /// `run` doesn't make it.
  @Test func requiresTheSocketsFolder() throws {
    #expect(rmdir(folder.path + "/run") == 0)
    #expect(problems(try check()) == ["the folder of [status] socket, /run, does not exist"])
  }

  private func certificateProblems(_ contents: String) throws -> [String] {
    let path = try folder.write("ca.pem", contents, mode: 0o644)
    return problems(try check(box: "ca_file = \"\(path)\""))
  }

  @Test(arguments: [
    TestCertificates.authority, TestCertificates.trustedAuthority, "# text\n" + TestCertificates.authority,
  ])
  func acceptsCertificates(contents: String) throws {
    #expect(try certificateProblems(contents) == [])
  }

  @Test func refusesInvalidCertificates() throws {
    let name = "ca_file /ca.pem "
    #expect(
      try certificateProblems("\u{FEFF}" + TestCertificates.authority) == [
        name + "contains no intact certificate"
      ])
    #expect(try certificateProblems("") == [name + "contains no intact certificate"])
    #expect(
      try certificateProblems("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == [
        name + "contains no intact certificate"
      ])
    for path in ["/none", "/run"] {
      let found = problems(try check(box: "ca_file = \"\(folder.path)\(path)\""))
      #expect(
        found == ["ca_file \(path): " + (path == "/none" ? "no such file" : "not a regular file")])
    }
  }
}
