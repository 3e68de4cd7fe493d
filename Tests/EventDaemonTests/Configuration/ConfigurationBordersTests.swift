import BoxEvents
import Testing

@testable import EventDaemon

/// Just beyond what is accepted, and what stands in for what.
@Suite struct ConfigurationBordersTests {
  @Test(arguments: ["a", "0", "a.b_c-1", "a.", "a-", String(repeating: "a", count: 63)])
  func isAStreamsName(name: String) {
    #expect(Configuration.Stream.isName(name))
  }

  @Test(arguments: [
    "", "A", "aB", "a/b", "a b", ".a", "-a", "_a", "ä", "a\u{0}", "a\n", "a:",
    String(repeating: "a", count: 64),
  ])
  func isNoStreamsName(name: String) {
    #expect(!Configuration.Stream.isName(name))
  }

  static let durations: [(String, Int64)] = [
    ("0", 0), ("0s", 0), ("1s", 1), ("90s", 90), ("1m", 60), ("2h", 7_200), ("1d", 86_400), ("1w", 604_800),
    ("36500d", 3_153_600_000),
  ]

  @Test(arguments: durations)
  func isADuration(text: String, seconds: Int64) {
    #expect(Duration(configured: text) == .seconds(seconds))
  }

  @Test(arguments: [
    "", "1", "s", "-1s", "+1s", "1.5h", "1 h", "1y", "1M", "1S", "36501d", "99999999999999999999s",
    "9223372036854775807w",
    "١s",
  ])
  func isNoDuration(text: String) {
    #expect(Duration(configured: text) == nil)
  }

  @Test func aStreamsOwnSubjectGoesBeforeTheCommonOne() throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal("stream", "subject = \"enterprise:9\"") + "\n[[stream]]\nname = \"other\"")
    #expect(
      configuration.streams.map { configuration.subject(of: $0)?.description } == ["enterprise:9", "user:1"])
  }

  @Test func whatTheUnitSaysGoesBeforeTheTemplatesPaths() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("work.toml", ConfigurationText.minimal)
    let configuration = try Configuration.load(
      path, environment: ["SPOOL_DIRECTORY": "/given/spool", "STATE_DIRECTORY": "/given/state:/more"])
    #expect(configuration.spool.directory == "/given/spool")
    #expect(configuration.state.directory == "/given/state")
  }

  @Test(arguments: ["", "a", "./a", "~/a", "/a\u{0}b", "/" + String(repeating: "a", count: 4095)])
  func isNoAbsolutePath(text: String) {
    #expect(ConfigurationReader.absolutePath(text) == nil)
  }

  @Test func anUnknownKeyIsShownOnOneLine() {
    let line = "\"a\\u001b[2Jb\\nc\\u202e\" = 1"
    for text in [ConfigurationText.minimal("log", line), line + "\n" + ConfigurationText.minimal] {
      let problems = ConfigurationText.problems(text)
      #expect(problems.count == 1 && problems[0].contains("\"a\\u{1B}[2Jb\\u{A}c\\u{202E}\""), "\(problems)")
    }
  }

  @Test func linesAreCountedOverListsAndComments() {
    let lines = TOMLKeyLines(
      """
      [box]
      realtime_hosts = [ # first
        "a", # key = "none"
        "b = 1",
      ]
      max_page = "1" # "
      ca_file = "/x"
      [[stream]]
      name = { a = 1,
        b = 2 }
      type = "all"
      """)
    #expect(lines.line(of: ["box", "realtime_hosts"]) == 2)
    #expect(lines.line(of: ["box", "max_page"]) == 6)
    #expect(lines.line(of: ["box", "ca_file"]) == 7)
    #expect(lines.line(of: ["stream", "0", "type"]) == 11)
  }
}
