import BoxEvents
import Glibc
import Spool
import TestSystem
import Testing

@testable import EventDaemon

/// What the service would find.
@Suite struct ConfigurationCheckServiceTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["spool", "state", "run"] { try folder.folder(name) }
    try folder.write("secret", "canary")
  }

  /// What is not fine.
  private func findings(
    _ spool: String = "", unit: String? = nil
  ) throws -> [ConfigurationCheck.Finding] {
    let path = folder.path
    let text = """
      [auth]
      client_id = "id"
      subject = "user:1"
      client_secret_file = "\(path)/secret"
      [spool]
      directory = "\(path)/spool"
      \(spool)
      [state]
      directory = "\(path)/state"
      [status]
      socket = "\(path)/run/status.sock"
      [[stream]]
      name = "default"
      """
    let check = ConfigurationCheck(
      try folder.write("c.toml", text), environment: [:],
      unit: unit.flatMap { UnitSettings(parsing: "LoadState=loaded\n" + $0) })
    return check.findings.filter { $0.kind != .fine }.map {
      var finding = $0
      finding.message = $0.message.replacing(path, with: "")
      finding.hint = $0.hint?.replacing(path, with: "")
      return finding
    }
  }

  @Test func notesWhatTheUnitCannotWriteTo() throws {
    let unit = "ProtectSystem=strict\nReadWritePaths=\(folder.path)/state"
    #expect(
      try findings(unit: unit) == [
        .init(
          kind: .note, message: "[spool] directory, /spool: the unit can't write to it",
          hint: "Run systemctl edit box-eventd, and add ReadWritePaths=/spool below [Service].")
      ])
    #expect(try findings(unit: unit + " \(folder.path)/spool") == [])
    #expect(try findings(unit: "ProtectSystem=no") == [])
  }

  @Test func notesThatLessThanKeepFreeIsLeft() throws {
    let found = try findings("keep_free = \"1024TiB\"")
    #expect(found.count == 1 && found[0].kind == .note)
    #expect(found[0].message.hasPrefix("[spool] directory, /spool: less than keep_free is left: "))
  }

  /// Its own daemon has both directories; that of the unit is the unit's.
  @Test(.enabled(if: access("/proc/locks", R_OK) == 0)) func notesAnotherDaemon() throws {
    func lock(_ name: String) throws -> DiskDirectory {
      let directory = try DiskDirectory.root("\(folder.path)/\(name)", on: LocalDisk(), access: .shared)
      try directory.lock(processID: getpid())
      return directory
    }
    func note(_ name: String) -> String { "[\(name)] directory, /\(name): in use by process \(getpid())" }
    let spool = try lock("spool")
    #expect(try findings().map(\.message) == [note("spool")])
    #expect(try findings(unit: "MainPID=\(getpid())") == [])
    let state = try lock("state")
    #expect(try findings() == [])
    #expect(try findings(unit: "MainPID=0").map(\.message) == [note("spool"), note("state")])
    // The text of the lock's file stays.
    for directory in [spool, state] { directory.close() }
    #expect(try findings(unit: "MainPID=0") == [])
  }

  @Test(.enabled(if: geteuid() == 0, "needs root"), arguments: ["spool", "state"])
  func refusesFilesOfAnotherUser(root: String) throws {
    try folder.folder("\(root)/default")
    #expect(try findings() == [])
    let name = root == "spool" ? "segments.ndjson" : "stream_position"
    try #require(chown(try folder.write("\(root)/default/\(name)", ""), 12_345, 0) == 0)
    let found = try findings().filter { $0.kind == .problem }
    #expect(found.map(\.message) == ["/\(root)/default/\(name): belongs to user 12345, not to 0"])
    #expect(found.first?.hint == "Run as root: chown -R root /\(root)/default.")
  }

  /// Finished segments are only read.
  @Test(.enabled(if: geteuid() == 0, "needs root")) func acceptsAFinishedSegmentOfAnotherUser() throws {
    try folder.folder("spool/default")
    for ordinal in [0, 1] {
      let path = try folder.write("spool/default/events-000000000000000\(ordinal).ndjson", "")
      if ordinal == 0 { try #require(chown(path, 12_345, 0) == 0) }
    }
    try #require(
      symlink("events-0000000000000001.ndjson", "\(folder.path)/spool/default/current") == 0)
    #expect(try findings() == [])
  }
}
