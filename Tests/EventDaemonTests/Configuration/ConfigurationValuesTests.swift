import BoxEvents
import Testing

@testable import EventDaemon

/// The texts that values are read from, up to their limits.
@Suite struct ConfigurationValuesTests {
  @Test(arguments: [
    ("0", 0), ("4096", 4_096), ("12B", 12), ("1KiB", 1_024), ("64MiB", 67_108_864),
    ("256MiB", 268_435_456), ("2GiB", 2_147_483_648), ("1TiB", 1_099_511_627_776), ("1KB", 1_000),
    ("3MB", 3_000_000), ("2GB", 2_000_000_000), ("1TB", 1_000_000_000_000),
  ])
  func readsByteCount(text: String, bytes: Int64) {
    #expect(ByteCount(text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", "MiB", "-1", "-1MiB", "+1", "1.5MiB", "64 MiB", "64mib", "64M", "64MiBs", "0x10", "١KiB",
    "9223372036854775808", "8388608TiB", "1_000",
  ])
  func refusesInvalidByteCount(text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test func printsByteCountInLargestUnit() {
    #expect(ByteCount.mebibytes(64).description == "64MiB")
    #expect(ByteCount(1_000).description == "1000B")
    #expect(ByteCount(1_536).description == "1536B")
    #expect(ByteCount.kibibytes(1_024).description == "1MiB")
    #expect(ByteCount(0).description == "0")
    #expect(ByteCount(-5).bytes == 0)
  }

  @Test(arguments: ["a", "0", "a.b_c-1", "a.", "a-", String(repeating: "a", count: 63)])
  func acceptsStreamName(name: String) {
    #expect(Configuration.Stream.isName(name))
  }

  @Test(arguments: [
    "", "A", "aB", "a/b", "a b", ".a", "-a", "_a", "ä", "a\u{0}", "a\n", "a:",
    String(repeating: "a", count: 64),
  ])
  func refusesInvalidStreamName(name: String) {
    #expect(!Configuration.Stream.isName(name))
  }

  static let durations: [(String, Int64)] = [
    ("0", 0), ("0s", 0), ("1s", 1), ("90s", 90), ("1m", 60), ("2h", 7_200), ("1d", 86_400), ("1w", 604_800),
    ("36500d", 3_153_600_000),
  ]

  @Test(arguments: durations)
  func readsDuration(text: String, seconds: Int64) {
    #expect(Duration(configured: text) == .seconds(seconds))
  }

  @Test(arguments: [
    "", "1", "s", "-1s", "+1s", "1.5h", "1 h", "1y", "1M", "1S", "36501d", "99999999999999999999s",
    "9223372036854775807w",
    "١s",
  ])
  func refusesInvalidDuration(text: String) {
    #expect(Duration(configured: text) == nil)
  }

  @Test func prefersStreamsOwnSubject() throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal("stream", "subject = \"enterprise:9\"") + "\n[[stream]]\nname = \"other\"")
    #expect(
      configuration.streams.map { configuration.subject(of: $0)?.description } == ["enterprise:9", "user:1"])
  }

  @Test func prefersEnvironmentToTemplatesPaths() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("work.toml", ConfigurationText.minimal)
    let configuration = try Configuration.load(
      path, environment: ["SPOOL_DIRECTORY": "/given/spool", "STATE_DIRECTORY": "/given/state:/more"])
    #expect(configuration.spool.directory == "/given/spool")
    #expect(configuration.state.directory == "/given/state")
  }

  @Test(arguments: ["", "a", "./a", "~/a", "/a\u{0}b", "/" + String(repeating: "a", count: 4095)])
  func refusesInvalidPath(text: String) {
    #expect(ValueText.absolutePath(text) == nil)
  }

  @Test func showsUnknownKeyOnOneLine() {
    let line = "\"a\\u001b[2Jb\\nc\\u202e\" = 1"
    for text in [ConfigurationText.minimal("log", line), line + "\n" + ConfigurationText.minimal] {
      let problems = ConfigurationText.problems(text)
      #expect(problems.count == 1 && problems[0].contains("\"a\\u{1B}[2Jb\\u{A}c\\u{202E}\""), "\(problems)")
    }
  }

  @Test(arguments: [("0", "0"), ("90s", "90s"), ("120s", "2m"), ("24h", "1d"), ("1w", "7d")])
  func printsDurationInLargestUnit(text: String, printed: String) {
    #expect(Duration(configured: text)?.configured == printed)
  }
}
