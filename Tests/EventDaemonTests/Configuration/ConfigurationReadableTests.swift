import Testing

@testable import EventDaemon

@Suite struct ConfigurationReadableTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func rest(_ text: String) -> String {
    ConfigurationFile(path: "c.toml", text: text).withoutInvalidLines().text
  }

  @Test(arguments: [
    ("a = 1\n", "a = 1\n"),
    ("[auth]\nb = \n[spool]\nc = 1", "[auth]\n\n[spool]\nc = 1"),
    ("[auth\nb = 1\n[spool]\nc = 1", "\n\n[spool]\nc = 1"),
    ("a = 1\n[", "a = 1\n"), ("a = 1\nb = [\n1,\n", "a = 1\n\n\n"), ("a = 1\na = 2\n", "a = 1\n\n"),
  ])
  func leavesOutInvalidLines(text: String, rest: String) {
    #expect(self.rest(text) == rest)
  }

  @Test func anEntirelyInvalidFileCountsAsEmpty() {
    #expect(rest(String(repeating: "=\n", count: 500)).isEmpty)
  }

  @Test func keepsTheGoodValuesAndTheUnitsDirectories() throws {
    let path = try folder.write(
      "c.toml",
      """
      [auth]
      client_id = 
      [spool]
      directory = "/srv/spool"
      max_age = "forever"
      [[stream]]
      name = "a"
      [[stream]]
      name = "a"
      [[stream]]
      type = "all"
      """)
    let (configuration, error) = Configuration.readable(
      path, environment: ["STATE_DIRECTORY": "/srv/state", "RUNTIME_DIRECTORY": "/srv/run"])
    #expect(error != nil)
    #expect(configuration.spool.directory == "/srv/spool")
    #expect(configuration.spool.maxAge == .zero)
    #expect(configuration.state.directory == "/srv/state")
    #expect(configuration.status.socket == "/srv/run/status.sock")
    #expect(configuration.streams.map(\.name) == ["a"])
  }

  @Test func reportsNothingOfAValidFile() throws {
    let (configuration, error) = Configuration.readable(
      try folder.write("c.toml", ConfigurationText.minimal), environment: [:])
    #expect(error == nil)
    #expect(configuration.streams.count == 1)
  }

  @Test func aDropInThatCannotBeReadLeavesTheOthers() throws {
    let path = try folder.write("c.toml", "[status]\nsocket = \"/a\"\n")
    try folder.folder("c.toml.d")
    try folder.write("c.toml.d/a.toml", [0xff])
    try folder.write("c.toml.d/b.toml", "[state]\ndirectory = \"/b\"")
    let (configuration, error) = Configuration.readable(path, environment: [:])
    #expect(error != nil)
    #expect(configuration.status.socket == "/a")
    #expect(configuration.state.directory == "/b")
  }

  /// The default's, or the one that is named in a part that can be read.
  @Test(arguments: [true, false]) func theDirectoryMayBeAnotherOne(isComplete: Bool) throws {
    var configuration = Configuration(streams: [.init(name: "a")])
    configuration.spool.directory = folder.path
    let tools = StreamTools(configuration, unit: "u", isComplete: isComplete)
    let failure = #expect(throws: DaemonFailure.self) { try tools.verify(configuration.streams[0]) }
    #expect(failure?.hint?.contains("another directory") == !isComplete)
  }

  @Test func anyStreamMayBeOneWhereNotAllAreKnown() throws {
    let known = Configuration(streams: [.init(name: "a")])
    #expect(throws: DaemonFailure.self) { try StreamTools(known, unit: "u").stream(named: "b") }
    let tools = StreamTools(known, unit: "u", isComplete: false)
    #expect(try tools.stream(named: "b").name == "b")
    #expect(try tools.stream(named: nil).name == "a")
    #expect(throws: DaemonFailure.self) { try tools.stream(named: "../b") }
    #expect(throws: DaemonFailure.self) {
      try StreamTools(Configuration(), unit: "u", isComplete: false).streams()
    }
  }
}
