import BoxEvents
import Logging
import Testing

@testable import EventDaemon

@Suite struct ConfigurationReadingTests {
  @Test func takesDefaultsOfMinimalConfiguration() throws {
    let configuration = try ConfigurationText.read(ConfigurationText.minimal)
    var expected = Configuration(
      auth: .init(method: .clientCredentials, clientID: "id", subject: Subject("user:1")),
      streams: [.init(name: "default")])
    #expect(configuration == expected)
    expected.spool.maxAge = .seconds(1)
    #expect(configuration != expected)
  }

  @Test func readsEveryKey() throws {
    let configuration = try ConfigurationText.read(
      """
      [box]
      api_url = "https://api.example:8443/2.0/"
      token_url = "http://127.0.0.1:8080/token"
      realtime_hosts = ["*.example", "LOCALHOST"]
      proxy = "http://proxy.example:3128/"
      proxy_auth_file = "/a"
      calls_per_minute = 60000
      max_page = "1MiB"
      ca_file = "/b"
      [auth]
      method = "jwt"
      client_id = "c"
      subject = "enterprise:456"
      client_secret_file = "/c"
      settings_file = "/d/"
      access_token_file = "/e"
      [spool]
      directory = "/f/"
      segment_size = 2048
      segment_age = "2h"
      keep_free = "0"
      max_size = "1GB"
      max_age = "3w"
      [state]
      directory = "/g"
      [status]
      socket = "/h/s"
      listen = "[::1]:9464"
      [log]
      level = "debug"
      [[stream]]
      name = "a.b_c-1"
      type = "admin_logs_streaming"
      as_user = "12"
      subject = "user:7"
      start = "1152922976252290886"
      overlap_check = "90m"
      [[stream]]
      name = "0"
      start = "oldest"
      overlap_check = 0
      """)
    #expect(configuration.box.apiURL.description == "https://api.example:8443/2.0")
    #expect(configuration.box.apiURL.origin.description == "https://api.example:8443")
    #expect(configuration.box.tokenURL.description == "http://127.0.0.1:8080/token")
    #expect(configuration.box.realtimeHosts.map(\.description) == ["*.example", "localhost"])
    #expect(configuration.box.proxy?.description == "http://proxy.example:3128/")
    #expect(configuration.box.proxyAuthFile == "/a")
    #expect(configuration.box.callsPerMinute == 60_000)
    #expect(configuration.box.maxPage == .mebibytes(1))
    #expect(configuration.box.caFile == "/b")
    #expect(configuration.auth.method == .jwt)
    #expect(configuration.auth.clientID == "c")
    #expect(configuration.auth.subject?.description == "enterprise:456")
    #expect(configuration.auth.clientSecretFile == "/c")
    #expect(configuration.auth.settingsFile == "/d")
    #expect(configuration.auth.accessTokenFile == "/e")
    #expect(configuration.spool.directory == "/f")
    #expect(configuration.spool.segmentSize.bytes == 2_048)
    #expect(configuration.spool.segmentAge == .seconds(7_200))
    #expect(configuration.spool.keepFree.bytes == 0)
    #expect(configuration.spool.maxSize.bytes == 1_000_000_000)
    #expect(configuration.spool.maxAge == .seconds(21 * 86_400))
    #expect(configuration.state.directory == "/g")
    #expect(configuration.status.socket == "/h/s")
    #expect(configuration.status.listen?.description == "[::1]:9464")
    #expect(configuration.log.level == .debug)
    #expect(configuration.streams.map(\.name) == ["a.b_c-1", "0"])
    #expect(configuration.streams[0].type == .adminLogsStreaming)
    #expect(configuration.streams[0].asUser == "12")
    #expect(configuration.streams[0].subject?.description == "user:7")
    #expect(configuration.streams[0].start.description == "1152922976252290886")
    #expect(configuration.streams[0].lookbackInterval == .seconds(5_400))
    #expect(configuration.streams[1].lookbackInterval == nil)
    #expect(configuration.streams[1].start == .oldest)
    #expect(configuration.streams[1].type == .all)
    #expect(configuration.subject(of: configuration.streams[1])?.description == "enterprise:456")
  }

  @Test func readsEmptyTextAsNotSet() throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal + """

        as_user = ""
        subject = ""
        [box]
        proxy = ""
        proxy_auth_file = ""
        calls_per_minute = 0
        ca_file = ""
        [status]
        listen = ""
        """)
    #expect(configuration == (try ConfigurationText.read(ConfigurationText.minimal)))
  }

  @Test func takesDirectoriesFromUnit() throws {
    let environment = [
      "STATE_DIRECTORY": "/var/lib/x:/var/lib/y", "RUNTIME_DIRECTORY": "/run/x",
      "SPOOL_DIRECTORY": "/srv/spool",
    ]
    let configuration = try ConfigurationText.read(ConfigurationText.minimal, environment: environment)
    #expect(configuration.state.directory == "/var/lib/x")
    #expect(configuration.status.socket == "/run/x/status.sock")
    #expect(configuration.spool.directory == "/srv/spool")
    let written = try ConfigurationText.read(
      ConfigurationText.minimal("state", "directory = \"/own\""), environment: environment)
    #expect(written.state.directory == "/own")
    let odd = try ConfigurationText.read(
      ConfigurationText.minimal, environment: ["STATE_DIRECTORY": "", "RUNTIME_DIRECTORY": "run"])
    #expect(odd == (try ConfigurationText.read(ConfigurationText.minimal)))
  }

  /// An instance's name may be as long as a file's.
  @Test func aDefaultSocketMayBeTooLong() throws {
    func environment(_ count: Int) -> [String: String] {
      ["RUNTIME_DIRECTORY": "/run/" + String(repeating: "r", count: count)]
    }
    let longest = try ConfigurationText.read(ConfigurationText.minimal, environment: environment(90))
    #expect(longest.status.socket.utf8.count == 107)
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationText.read(ConfigurationText.minimal, environment: environment(91))
    }
    #expect(error?.problems.count == 1)
    #expect(error?.problems.first?.message.contains("has 108 bytes; 107 are possible") == true)
    let written = try ConfigurationText.read(
      ConfigurationText.minimal("status", "socket = \"/run/s\""), environment: environment(91))
    #expect(written.status.socket == "/run/s")
  }

  @Test func mergesDropInsKeyByKeyAndAddsStreams() throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal("spool", "max_age = \"1d\"\nmax_size = \"1MiB\""),
      [
        "[spool]\nmax_age = \"2d\"\n[[stream]]\nname = \"b\"",
        "[[stream]]\nname = \"a\"\n[auth]\nclient_id = \"new\"",
      ])
    #expect(configuration.spool.maxAge == .seconds(2 * 86_400))
    #expect(configuration.spool.maxSize == .mebibytes(1))
    #expect(configuration.streams.map(\.name) == ["default", "b", "a"])
    #expect(configuration.auth.clientID == "new")
    #expect(configuration.auth.subject?.description == "user:1")
  }

  @Test func reportsProblemInDropInWithItsFile() {
    let problems = ConfigurationText.problems(
      ConfigurationText.minimal, ["\n[spool]\nmax_age = 5", "[[stream]]\nname = \"default\""])
    #expect(problems.count == 2)
    #expect(
      problems.first?.hasPrefix("d/0.toml:3: max_age in [spool] is 5 / Give a whole number of s,") == true)
    #expect(
      problems.last == """
        d/1.toml:2: a second [[stream]] named "default" / \
        Choose another name, or remove one: the first is at main.toml:5.
        """)
  }

  @Test func reportsAllProblemsOfAllFiles() {
    let problems = ConfigurationText.problems(
      """
      [spool]
      segmnt_size = "1MiB"
      max_age = true
      [lgo]
      level = "loud"
      """, ["[log]\nlevel = \"loud\""])
    #expect(
      problems.map { String($0.prefix { $0 != "/" }) } == [
        "d", "main.toml: missing [[stream]] ",
        "main.toml: nothing is configured yet: missing client_id in [auth] ",
        "main.toml:2: unknown key \"segmnt_size\" in [spool] ",
        "main.toml:3: max_age in [spool] is true ", "main.toml:4: unknown table [lgo] ",
      ])
  }

  @Test func checksSubjectForEachMethod() {
    let noSubject = "[auth]\nclient_id = \"id\"\n[[stream]]\nname = \"a\""
    #expect(
      ConfigurationText.problems(noSubject) == [
        "main.toml:1: missing subject in [auth] / "
          + "Add subject = \"enterprise:ID\" or \"user:ID\": whose token to ask for."
      ])
    #expect(ConfigurationText.problems(noSubject + "\nsubject = \"user:1\"").isEmpty)
    for method in ["jwt", "oauth2", "access-token"] {
      let text = noSubject.replacing("[auth]", with: "[auth]\nmethod = \"\(method)\"")
      #expect(ConfigurationText.problems(text).isEmpty, "\(method)")
    }
    let owned = noSubject.replacing("[auth]", with: "[auth]\nmethod = \"oauth2\"") + "\nsubject = \"user:2\""
    #expect(
      ConfigurationText.problems(owned) == [
        "main.toml:6: subject in [[stream]] can't be used with method \"oauth2\" / "
          + "Remove it: the token has one owner. To read as another user, set as_user."
      ])
  }

  @Test(arguments: ["client-credentials", "oauth2"])
  func requiresClientID(method: String) {
    let text =
      "[auth]\nmethod = \"\(method)\"\nsubject = \"user:1\"\nclient_id = \"\"\n[[stream]]\nname = \"a\""
    #expect(
      ConfigurationText.problems(text).map { $0.hasPrefix("main.toml:1: missing client_id in [auth]") }
        == [true])
  }

  @Test func readsThousandsOfStreams() throws {
    let streams = (0..<5_000).map { "[[stream]]\nname = \"s\($0)\"\nas_user = \"\($0)\"" }
    let text = "[auth]\nclient_id = \"id\"\nsubject = \"user:1\"\n" + streams.joined(separator: "\n")
    let configuration = try ConfigurationText.read(text)
    #expect(configuration.streams.count == 5_000)
    #expect(configuration.streams.last?.asUser == "4999")
  }
}
