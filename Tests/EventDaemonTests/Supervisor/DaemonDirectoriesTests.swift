import BoxEvents
import Glibc
import Spool
import TestSystem
import Testing

@testable import EventDaemon

@Suite struct DaemonDirectoriesTests {
  private let folder: TemporaryFolder
  private var configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    configuration = try ConfigurationText.read(ConfigurationText.minimal)
    configuration.spool.directory = folder.path + "/spool"
    configuration.state.directory = folder.path + "/state"
  }

  private func mode(_ name: String) throws -> mode_t {
    try #require(FileFacts("\(folder.path)/\(name)")).mode
  }

  @Test func createsMissingDirectoriesWithTheirModes() throws {
    let directories = try DaemonDirectories(configuration)
    defer { directories.release() }
    #expect(try mode("state") == 0o700)
    // Less what the umask removes.
    #expect(try mode("spool") & ~0o750 == 0)
    for name in ["state/.lock", "spool/.lock"] { #expect(try mode(name) & 0o007 == 0) }
    #expect(try mode("state/.lock") == 0o600)
    _ = try directories.state.madeSubdirectory("default").newFile("secret")
    #expect(try mode("state/default") == 0o700)
    #expect(try mode("state/default/secret") == 0o600)
  }

  /// `ProtectHome=` of the unit hides what exists.
  @Test(arguments: [
    ("/home/events", EACCES, "choose another place"), ("/root/events", EACCES, "choose another place"),
    ("/run/user/1/events", EACCES, "choose another place"), ("/homes/events", EACCES, "install -d"),
    ("/home/a/events", ENOENT, "install -d"), ("/home/events", EROFS, "ReadWritePaths="),
    ("/var/spool/box-eventd", EROFS, "install -d"), ("/var/spool/box-eventd@a", EROFS, "install -d"),
    ("/var/lib/box-eventd", EROFS, "install -d"), ("/var/spool/box-eventd/a", EROFS, "ReadWritePaths="),
    ("/var/spool/box-eventd2", EROFS, "ReadWritePaths="), ("/srv/spool/box-eventd", EROFS, "ReadWritePaths="),
  ])
  func tellsWhatTheUnitHides(path: String, errno: CInt, remedy: String) {
    #expect(DiskDirectory.Access.shared.remedy(path, errno: errno).contains(remedy))
  }

  /// So that `status` can tell a daemon whose socket is gone from one that doesn't run.
  @Test(.enabled(if: access("/proc/locks", R_OK) == 0)) func aRunningDaemonIsSeenByItsLock() throws {
    #expect(configuration.runningDaemon == nil)
    let directories = try DaemonDirectories(configuration)
    #expect(configuration.runningDaemon == getpid())
    // Readers of the spool can't see the state.
    var other = configuration
    other.state.directory = folder.path + "/none"
    #expect(other.runningDaemon == getpid())
    directories.release()
    #expect(configuration.runningDaemon == nil)
  }

  @Test(arguments: ["state", "spool"])
  func locksStateAndSpool(shared: String) throws {
    let directories = try DaemonDirectories(configuration)
    var other = configuration
    if shared == "state" {
      other.spool.directory = folder.path + "/spool2"
    } else {
      other.state.directory = folder.path + "/state2"
    }
    let failure = #expect(throws: DaemonFailure.self) { try DaemonDirectories(other) }
    #expect(failure?.exit == .alreadyRunning)
    directories.release()
    try DaemonDirectories(other).release()
  }

  @Test(arguments: [
    ("spool", "spool", "is the same directory as"), ("spool", "spool/state", "is inside of"),
    ("state/a/spool", "state", "contains"), ("spool", "link", "is the same directory as"),
    ("spool", "link/a/state", "is inside of"), ("link/spool", "spool", "contains"),
  ])
  func keepsStateAndSpoolApart(spool: String, state: String, relation: String) throws {
    try folder.folder("spool")
    try #require(symlink("spool", folder.path + "/link") == 0)
    var configuration = self.configuration
    configuration.spool.directory = "\(folder.path)/\(spool)"
    configuration.state.directory = "\(folder.path)/\(state)"
    let failure = #expect(throws: DaemonFailure.self) { try DaemonDirectories(configuration) }
    #expect(failure?.exit == .configuration)
    #expect(failure?.message.contains(", \(relation) [spool] directory, ") == true)
    // Nothing is made before.
    #expect(FileFacts("\(folder.path)/spool/.lock") == nil && FileFacts("\(folder.path)/state") == nil)
  }

  @Test func acceptsDirectoriesWithACommonBeginning() throws {
    var configuration = self.configuration
    configuration.state.directory = folder.path + "/spool-state"
    try DaemonDirectories(configuration).release()
  }

  @Test func refusesADirectoryWithOtherWriters() throws {
    try folder.folder("state", mode: 0o777)
    let failure = #expect(throws: DaemonFailure.self) { try DaemonDirectories(configuration) }
    #expect(failure?.exit == .configuration)
  }
}
