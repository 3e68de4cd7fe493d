import Glibc
import Logging
import Testing

@testable import EventDaemon

@Suite struct ConfigurationFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func message(_ path: String) -> String {
    do {
      _ = try Configuration.load(path, environment: [:])
      return ""
    } catch {
      return error.description.replacing(folder.path, with: "")
    }
  }

  @Test func readsMainFileThenDropInsInOrderOfName() throws {
    let path = try folder.write("c.toml", ConfigurationText.minimal)
    try folder.folder("c.toml.d")
    try folder.write("c.toml.d/20-b.toml", "[[stream]]\nname = \"b\"\n[log]\nlevel = \"debug\"")
    try folder.write("c.toml.d/10-a.toml", "[[stream]]\nname = \"a\"\n[log]\nlevel = \"error\"")
    try folder.write("c.toml.d/.hidden.toml", "nonsense")
    try folder.write("c.toml.d/30.toml~", "nonsense")
    let configuration = try Configuration.load(path, environment: [:])
    #expect(configuration.streams.map(\.name) == ["default", "a", "b"])
    #expect(configuration.log.level.rawValue == "debug")
  }

  @Test func theCheckNamesWhatIsIgnored() throws {
    let path = try folder.write("c.toml", ConfigurationText.minimal)
    try folder.folder("c.toml.d")
    for name in ["10-a.toml", "10-a.toml.bak", "20-b.conf", ".30-c.toml", ".20-b.conf.swp"] {
      try folder.write("c.toml.d/\(name)", "")
    }
    let check = ConfigurationCheck(path, environment: ["STATE_DIRECTORY": "state", "SPOOL_DIRECTORY": "/x"])
    let notes = check.findings.filter { $0.kind == .note && $0.message.contains("is ignored") }
    #expect(
      notes.map { $0.message.replacing(folder.path, with: "") } == [
        "/c.toml.d/.30-c.toml is ignored", "/c.toml.d/10-a.toml.bak is ignored",
        "/c.toml.d/20-b.conf is ignored", "$STATE_DIRECTORY is ignored: not an absolute path",
      ])
  }

  @Test func reportsMissingFile() {
    #expect(
      message(folder.path + "/none.toml")
        == "/none.toml: no such file\n  Create it, or name another file with --config FILE.")
  }

  @Test func refusesFolderAndFifo() throws {
    let path = try folder.folder("x.toml")
    #expect(message(path).hasPrefix("/x.toml: not a regular file\n"))
    let fifo = folder.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(message(fifo).hasPrefix("/fifo: not a regular file\n"))
  }

  @Test func refusesFileInPlaceOfDropInFolder() throws {
    let path = try folder.write("c.toml", ConfigurationText.minimal)
    try folder.write("c.toml.d", "")
    #expect(message(path).hasPrefix("/c.toml.d: Not a directory\n"))
  }

  @Test func refusesOtherEncodingsWithLine() throws {
    let latin = try folder.write("latin.toml", Array("[log]\n# caf".utf8) + [0xe9, 0x0a])
    #expect(message(latin) == "/latin.toml: not UTF-8 text, at line 2\n  Save the file as UTF-8.")
    let wide = try folder.write("wide.toml", Array("[log]\n".utf8) + [0x00])
    #expect(message(wide) == "/wide.toml: not UTF-8 text, at line 2\n  Save the file as UTF-8.")
  }

  @Test func refusesHugeFile() throws {
    let path = try folder.write(
      "huge.toml", [UInt8](repeating: 0x23, count: ConfigurationFile.maximumSize + 1))
    #expect(message(path) == "/huge.toml: larger than 16384 KiB\n  Check that it is the right file.")
  }

  @Test func reportsAllInvalidFiles() throws {
    let path = try folder.write("c.toml", [0xff])
    try folder.folder("c.toml.d")
    try folder.write("c.toml.d/a.toml", [0xff])
    #expect(message(path).split(separator: "\n").count == 4)
  }

  @Test func findsDirectoriesOfTemplateInstance() {
    #expect(
      Configuration.instanceEnvironment(of: "/etc/box-eventd/work.toml") == [
        "SPOOL_DIRECTORY": "/var/spool/box-eventd@work",
        "STATE_DIRECTORY": "/var/lib/box-eventd@work",
        "RUNTIME_DIRECTORY": "/run/box-eventd@work",
      ])
  }

  @Test(arguments: [
    "/etc/box-eventd/box-eventd.toml", "/etc/box-eventd/.toml", "/etc/box-eventd/work", "work.toml",
    "/etc/box-eventd/deeper/work.toml", "/srv/box-eventd/work.toml",
  ])
  func findsNoDirectoriesForOtherFiles(path: String) {
    #expect(Configuration.instanceEnvironment(of: path).isEmpty)
    #expect(
      Configuration.directoriesMadeByUnit(of: path)
        == (path == Configuration.defaultPath ? ["/var/lib/box-eventd"] : []))
  }
}
