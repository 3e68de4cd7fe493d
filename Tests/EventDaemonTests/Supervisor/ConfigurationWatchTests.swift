import Spool
import Systemd
import Testing

@testable import EventDaemon

@Suite struct ConfigurationWatchTests {
  private let folder: TemporaryFolder
  private let path: String
  private let log = RecordedLog()
  private let difference: ConfigurationDifference
  private let watch: ConfigurationWatch

  init() throws {
    folder = try TemporaryFolder()
    path = try folder.write("c.toml", ConfigurationText.minimal)
    difference = ConfigurationDifference(try Configuration.load(path, environment: [:]))
    watch = ConfigurationWatch(
      path, environment: [:], difference, thread: try DiskThread(), logger: log.logger)
  }

  private func write(_ text: String) throws { try folder.write("c.toml", text) }

  /// What the daemon knows after two looks.
  private func looked() async -> String? {
    await watch.look()
    await watch.look()
    return difference.text
  }

  /// As after a reload whose check has failed: the daemon has not been asked to reload.
  @Test func tellsOnceThatTheFilesAreNotValid() async throws {
    #expect(await looked() == nil)
    try write(ConfigurationText.minimal + "\n[spol]\n")
    await watch.look()
    #expect(difference.text == nil && log.entries.isEmpty)
    #expect(await looked() == "is not valid: run box-eventd check --config \(path)")
    _ = await looked()
    #expect(log.entries.map(\.id) == [.configurationRejected])
    #expect(log.entries.first?.metadata["detail"]?.contains("spol") == true)
    try write(ConfigurationText.minimal)
    #expect(await looked() == nil)
    #expect(log.entries.count == 1)
  }

  @Test func aChangeWaitsForItsReload() async throws {
    try write(ConfigurationText.minimal + "\n# a comment")
    #expect(await looked() == nil)
    try write(ConfigurationText.minimal("log", "level = \"error\""))
    #expect(await looked() == "has changed: reload to use it")
    let contents = ConfigurationFile.contents(path)
    difference.set(nil, of: contents, try Configuration.load(path, environment: [:]))
    #expect(await looked() == nil)
    #expect(log.entries.isEmpty)
  }

  /// The reload's own words stay, and nothing is said twice.
  @Test func whatAReloadHasRejectedIsKnown() async throws {
    try write("[spol]")
    difference.set("rejected by a reload", of: ConfigurationFile.contents(path), nil)
    #expect(await looked() == "rejected by a reload")
    #expect(log.entries.isEmpty)
    try write(ConfigurationText.minimal)
    #expect(await looked() == nil)
    try write("[spol]")
    #expect(await looked() == "rejected by a reload")
  }

  /// Also where the files are what they were at the last reload.
  @Test func whatNeedsARestartStays() async throws {
    try write(ConfigurationText.minimal("spool", "keep_free = \"1MiB\""))
    let read = try Configuration.load(path, environment: [:])
    difference.set("differs in [spool] keep_free", of: ConfigurationFile.contents(path), read)
    #expect(await looked() == "differs in [spool] keep_free")
    try write("")
    #expect(await looked()?.hasPrefix("is not valid") == true)
    try write(ConfigurationText.minimal("spool", "keep_free = \"1MiB\"") + "\n# a comment")
    #expect(await looked() == "differs in [spool] keep_free")
  }
}
