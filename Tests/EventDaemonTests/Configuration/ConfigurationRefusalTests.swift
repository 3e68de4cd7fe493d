import Testing

@testable import EventDaemon

/// Every key with every kind of invalid value: the message names file, line, key and value, the hint what is allowed.
@Suite struct ConfigurationRefusalTests {
  /// Values that every key refuses, beside those that are invalid for one key.
  static let alwaysInvalid = ["1.5", "2026-01-01", "{ a = 1 }", "[[1]]", "-1"]

  static let invalid: [(table: String, key: String, values: [String])] = [
    (
      "box", "api_url",
      [
        "1", "true", "\"\"", "\"api.box.com\"", "\"http://api.box.com\"", "\"ftp://api.box.com\"",
        "\"https://\"", "\"https://a b\"", "\"https://api.box.com?x=1\"", "\"https://api.box.com/#x\"",
        "\"https://api.box.com:0\"", "\"https://api.box.com:99999\"", "\"https://api..box.com\"",
        "\"https://[::1\"", "\"http://127.evil.example\"", "\"https://é.example\"", "\"https://a:1:2\"",
      ]
    ),
    ("box", "token_url", ["1", "\"http://10.0.0.1/token\"", "\"\"", "\"https:/x\""]),
    (
      "box", "realtime_hosts",
      [
        "\"*.box.com\"", "[]", "[1]", "[\"\"]", "[\"https://x\"]", "[\"a:1\"]", "[\"*\"]", "[\"a.*.b\"]",
        "[\"ok.example\", \"*.\"]", "[\"-/\"]",
      ]
    ),
    (
      "box", "proxy",
      ["1", "\"proxy:3128\"", "\"http://proxy\"", "\"http://proxy:1/path\"", "\"https://p:1\""]
    ),
    ("box", "proxy_auth_file", ["1", "\"relative\"", "\"~/x\"", "[\"/x\"]"]),
    ("box", "calls_per_minute", ["\"60\"", "60001", "true", "\"\"", "9223372036854775807"]),
    ("box", "max_page", ["\"\"", "\"1KiB\"", "\"2GiB\"", "\"64 MiB\"", "\"64mib\"", "true", "0"]),
    ("box", "ca_file", ["1", "\"ca.pem\""]),
    ("auth", "method", ["1", "\"\"", "\"JWT\"", "\"client_credentials\""]),
    ("auth", "client_secret_file", ["1", "\"secret\""]),
    ("auth", "settings_file", ["false", "\"./x\""]),
    ("auth", "access_token_file", ["[]", "\"x\""]),
    ("spool", "directory", ["1", "\"\"", "\"spool\"", "\"../spool\""]),
    ("spool", "segment_size", ["\"0\"", "\"1023\"", "\"2TiB\"", "\"-1MiB\"", "\"\"", "true"]),
    (
      "spool", "segment_age",
      ["\"1\"", "1", "\"d\"", "\"-1d\"", "\"1.5h\"", "\"1 h\"", "\"1y\"", "\"40000d\"", "true"]
    ),
    ("spool", "keep_free", ["\"-1\"", "\"much\"", "\"2PiB\"", "true", "\"9999999TiB\""]),
    ("spool", "max_size", ["\"1\"", "\"x\"", "[]"]),
    ("spool", "max_age", ["\"forever\"", "5", "\"99999999999999999999d\""]),
    ("state", "directory", ["1", "\"\"", "\"state\""]),
    ("status", "socket", ["1", "\"\"", "\"status.sock\"", "\"/\(String(repeating: "x", count: 107))\""]),
    (
      "status", "listen",
      ["9464", "\"9464\"", "\":9464\"", "\"127.0.0.1\"", "\"a:b\"", "\"127.0.0.1:65536\"", "\"::1:80\""]
    ),
    ("log", "level", ["1", "\"\"", "\"INFO\"", "\"loud\""]),
    ("stream", "type", ["1", "\"\"", "\"All\"", "\"admin\""]),
    ("stream", "as_user", ["123", "\"abc\"", "\"1 2\"", "\"-1\"", "\"123456789012345678901\"", "\"١\""]),
    (
      "stream", "subject",
      ["1", "\"user\"", "\"user:\"", "\"group:1\"", "\"user:a\"", "\"user:1:2\"", "\"User:1\""]
    ),
    ("stream", "overlap_check", ["1", "-1", "\"\"", "\"1\"", "\"9s\"", "\"8d\"", "true", "\"-1h\""]),
    ("stream", "start", ["0", "1", "\"\"", "\"-1\"", "\"later\"", "\"1.0\"", "\"1e5\""]),
  ]

  @Test(arguments: invalid.indices)
  func reportsInvalidValueWithLocation(index: Int) {
    let (table, key, values) = Self.invalid[index]
    for value in values + Self.alwaysInvalid {
      let text = ConfigurationText.minimal(table, "\(key) = \(value)")
      let line = text.split(separator: "\n").firstIndex { $0.hasPrefix("\(key) = \(value)") }.map { $0 + 1 }
      let problems = ConfigurationText.problems(text)
      let header = ConfigurationKeys.table(table)?.header ?? ""
      #expect(problems.count == 1, "\(key) = \(value): \(problems)")
      #expect(
        problems.first?.hasPrefix("main.toml:\(line ?? 0): \(key) in \(header) is ") == true,
        "\(key) = \(value): \(problems)")
      #expect(problems.first?.contains(" / Give ") == true, "\(key) = \(value): \(problems)")
    }
  }

  @Test(arguments: [
    "\"\"", "\"A\"", "\".a\"", "\"-a\"", "\"_a\"", "\"a/b\"", "\"a b\"", "\"ä\"", "\"..\"", "1", "true",
    "\"\(String(repeating: "a", count: 64))\"",
  ])
  func refusesInvalidStreamName(value: String) {
    let text = ConfigurationText.minimal.replacing("name = \"default\"", with: "name = \(value)")
    let problems = ConfigurationText.problems(text)
    #expect(
      problems.count == 1 && problems[0].hasPrefix("main.toml:5: name in [[stream]] is "), "\(problems)")
  }

  /// In the state directory that name is the file of method "oauth2".
  @Test func refusesTheNameOfAnotherFile() {
    let text = ConfigurationText.minimal.replacing("\"default\"", with: "\"refresh_token\"")
    #expect(
      ConfigurationText.problems(text) == [
        "main.toml:5: name in [[stream]] is \"refresh_token\", a file's name in the state directory / "
          + "Choose another name."
      ])
  }

  @Test(arguments: ["\"client id\"", "\"ä\"", "1", "\"a\\nb\""])
  func refusesInvalidClientID(value: String) {
    let text = ConfigurationText.minimal.replacing("client_id = \"id\"", with: "client_id = \(value)")
    let problems = ConfigurationText.problems(text)
    #expect(
      problems.count == 1 && problems[0].hasPrefix("main.toml:2: client_id in [auth] is "), "\(problems)")
  }

  /// Also in those that may hold any other character, at any place.
  @Test(arguments: ["\\u0001", "\\n", "\\t", "\\u007f", "\\u0085"])
  func refusesControlCharacters(escape: String) {
    let paths = [
      ("spool", "directory"), ("state", "directory"), ("status", "socket"), ("box", "ca_file"),
      ("auth", "client_secret_file"), ("auth", "settings_file"), ("box", "proxy_auth_file"),
    ]
    for (table, key) in paths {
      for value in ["/x\(escape)", "/x\(escape)y", "\(escape)/x"] {
        let problems = ConfigurationText.problems(
          ConfigurationText.minimal(table, "\(key) = \"\(value)\""))
        #expect(problems.count == 1 && problems[0].contains("\(key) in [\(table)] is "), "\(problems)")
        #expect(problems.first?.contains(", without control characters") == true, "\(problems)")
      }
    }
  }

  /// What follows it would be cut off, and the rest accepted.
  @Test(arguments: ["\\u0000", "\\U00000000"]) func refusesTheCharacterZero(escape: String) {
    for (table, line) in [
      ("box", "api_url = \"https://api.box.com\(escape).example\""),
      ("spool", "directory = \"\"\"/x\\\n\(escape)\"\"\""), ("log", "level = \"info\(escape)\""),
      ("box", "realtime_hosts = [\n\"*.box.com\(escape)\"]"), ("stream", "subject = \"user:1\(escape)2\""),
    ] {
      let key = line.prefix { $0 != " " }
      #expect(
        ConfigurationText.problems(ConfigurationText.minimal(table, line)) == [
          "main.toml:\(table == "stream" ? 6 : 7):1: not valid TOML: \(key) contains \(escape) / "
            + "Remove \(escape) from the line."
        ])
    }
    let comment = ConfigurationText.minimal("log", "# never \(escape)\nlevel = \"info\"")
    #expect(ConfigurationText.problems(comment).isEmpty)
  }

  @Test func triesEveryKey() {
    let tried = Set(
      Self.invalid.map { "\($0.table).\($0.key)" } + ["auth.client_id", "auth.subject", "stream.name"])
    let known = ConfigurationKeys.tables.flatMap { table in table.keys.map { "\(table.name).\($0.name)" } }
    #expect(Set(known) == tried)
  }

  @Test func writesMessages() {
    let problems: [(String, String)] = [
      (
        ConfigurationText.minimal("spool", "segmnt_size = \"1MiB\""),
        "main.toml:7: unknown key \"segmnt_size\" in [spool] / Perhaps you meant \"segment_size\"."
      ),
      (
        ConfigurationText.minimal("spool", "level = \"info\""),
        "main.toml:7: unknown key \"level\" in [spool] / Put it below [log], where level is a key."
      ),
      (
        ConfigurationText.minimal("log", "colour = true"),
        "main.toml:7: unknown key \"colour\" in [log] / Keys of [log]: level."
      ),
      (
        ConfigurationText.minimal("stream", "tpye = \"all\""),
        "main.toml:6: unknown key \"tpye\" in [[stream]] / Perhaps you meant \"type\"."
      ),
      (
        ConfigurationText.minimal("spol", "directory = \"/x\""),
        "main.toml:6: unknown table [spol] / Perhaps you meant [spool]."
      ),
      (
        ConfigurationText.minimal("whatever", "a = 1"),
        "main.toml:6: unknown table [whatever] / Tables: [auth], [[stream]], [box], [spool], [state], "
          + "[status], [log]."
      ),
      (
        "level = \"info\"\n" + ConfigurationText.minimal,
        "main.toml:1: key \"level\" outside of any table / Put it below [log], where level is a key."
      ),
      (
        "spool = 5\n" + ConfigurationText.minimal, "main.toml:1: spool is 5 / Write [spool]: it is a table."
      ),
      (
        ConfigurationText.minimal + "\n[[spool]]\ndirectory = \"/x\"",
        "main.toml:6: [[spool]] has two pairs of brackets / Write [spool]: it occurs once."
      ),
      (
        ConfigurationText.minimal("auth", "client_secret = \"canary\""),
        "main.toml:4: client_secret in [auth]: secrets don't belong in this file / Store it in a file of its own "
          + "and name that with client_secret_file, or give the unit the credential \"client-secret\"."
      ),
      (
        ConfigurationText.minimal("box", "proxy = \"http://me:canary@proxy:1\""),
        "main.toml:7: proxy in [box] holds a user or password / Put user:password into a file and name it with "
          + "proxy_auth_file."
      ),
      (
        ConfigurationText.minimal("box", "max_page = \"5\""),
        "main.toml:7: max_page in [box] is \"5\" / Give a size of 64KiB to 1GiB, such as \"64MiB\"."
      ),
      (
        ConfigurationText.minimal("state", "directory = \"/var/spool/box-eventd/\""),
        "main.toml:7: [state] and [spool] have the same directory, /var/spool/box-eventd / Give each a directory of "
          + "its own: both hold a directory for every stream."
      ),
      (
        ConfigurationText.minimal("log", "level = \"\\u001b[31m\\u202e\""),
        "main.toml:7: level in [log] is \"\\u{1B}[31m\\u{202E}\" / Give one of \"trace\", \"debug\", \"info\", "
          + "\"notice\", \"warning\", \"error\", \"critical\"."
      ),
      (
        ConfigurationText.minimal + "\n[[stream]]\ntype = \"all\"",
        "main.toml:6: a [[stream]] without a name / Add a line: name = \"default\"."
      ),
    ]
    for (text, expected) in problems { #expect(ConfigurationText.problems(text) == [expected]) }
  }

  @Test func explainsStreamInSingleBrackets() {
    let problems = ConfigurationText.problems(
      "[auth]\nclient_id = \"id\"\nsubject = \"user:1\"\n[stream]\nname = \"a\"")
    #expect(
      problems.contains(
        "main.toml:4: [stream] has one pair of brackets / Write [[stream]]: it may occur many times."))
  }

  @Test func neverShowsSecrets() {
    for (table, line) in [
      ("auth", "client_secret = \"canary\""), ("auth", "access_token = \"canary\""),
      ("auth", "passphrase = \"canary\""), ("auth", "clientsecret = \"canary\""),
      ("box", "api_url = \"https://u:canary@api.box.com\""), ("box", "proxy = \"http://u:canary@p:1\""),
      ("box", "proxy_password = \"canary\""),
      ("auth", "client_secret_file = \"canary\""), ("auth", "access_token_file = \"canary/canary\""),
      ("box", "proxy_auth_file = \"user:canary\""),
    ] {
      let problems = ConfigurationText.problems(ConfigurationText.minimal(table, line))
      #expect(problems.count == 1 && !problems.joined().contains("canary"), "\(line): \(problems)")
    }
  }

  @Test(arguments: [
    ("[spool\n", 1), ("[spool]\na = \n", 2), ("[log]\nlevel = \"info\"\nlevel = \"info\"\n", 3),
    ("\n\n= 5", 3), ("[log]\nlevel = 'x\n", 2), ("a = \"\\q\"", 1),
  ])
  func reportsSyntaxErrorWithLineAndColumn(text: String, line: Int) {
    let problems = ConfigurationText.problems(text)
    let place = problems.first?.split(separator: ":").prefix(3) ?? []
    #expect(place.first == "main.toml" && place.dropFirst().first == "\(line)", "\(problems)")
    #expect(place.last.flatMap { Int($0) } != nil, "\(problems)")
    // What can't be read is not missing.
    #expect(problems.count == 1 && problems[0].contains(": not valid TOML: "), "\(problems)")
  }

  @Test(arguments: [
    ("[log]\nlevel = \"info\n", "a string isn't closed at the end of its line"),
    ("[log]\nlevel = 'info\n", "a string isn't closed at the end of its line"),
    ("\n[log]\nlevel = \"info\"\n[log]\n", "[log] is there already, in line 2: put the keys below it."),
    ("[log]\nlevel = \"info\"\nlevel = \"info\"\n", "level is there already: keep one of the two."),
  ])
  func explainsWhatTheParserMeans(text: String, part: String) {
    let problems = ConfigurationText.problems(text)
    #expect(problems.count == 1 && problems[0].contains(part), "\(problems)")
  }

  /// The parser traps on these.
  @Test(arguments: [
    "[", "[[", "[ # a", "[é]", "[.a]", "[=]", "[[[a]]]", "\t[ [a]]", "[(]", "list = [\n[1],\n]\n[",
    "\u{FEFF}[",
  ])
  func refusesHeaderWithoutName(text: String) {
    for text in [text, text + "\n", text + "\r\n", text + "\n[log]\n"] {
      let problems = ConfigurationText.problems(text)
      #expect(
        problems.count == 1 && problems[0].contains(":1: not valid TOML: "), "\(text): \(problems)")
    }
  }

  @Test func acceptsHeadersInEveryForm() {
    let headers = [
      "[log]", " [ log ] # a", "\t[\"log\"]", "['log']\r", "[log]\n[[ stream ]]\nname = \"b\"\n[log.a]",
    ]
    for header in headers {
      let problems = ConfigurationText.problems(ConfigurationText.minimal + "\n\(header)\n")
      #expect(problems.allSatisfy { $0.contains("unknown key \"a\" in [log]") }, "\(header): \(problems)")
    }
  }
}
