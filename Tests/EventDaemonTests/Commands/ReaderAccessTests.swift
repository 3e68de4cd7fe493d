import Glibc
import TestSystem
import Testing

@testable import EventDaemon

@Suite struct ReaderAccessTests {
  private let folder: TemporaryFolder
  private let spool: String
  private var configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    spool = try folder.folder("spool")
    try folder.folder("spool/default")
    configuration = try ConfigurationText.read(ConfigurationText.minimal)
    configuration.spool.directory = spool
  }

  /// The daemon's own group is one that the spool doesn't have.
  private func losses(_ mode: mode_t, stream: mode_t) throws -> [ReaderAccess.Loss] {
    try #require(chmod(spool, mode) == 0 && chmod(spool + "/default", stream) == 0)
    return ReaderAccess(configuration, group: getegid() &+ 1).losses()
  }

  @Test func findsADirectoryWithoutSetgid() throws {
    #expect(try losses(0o2750, stream: 0o2750) == [])
    for (found, path) in [
      (try losses(0o2750, stream: 0o750), spool + "/default"), (try losses(0o750, stream: 0o2750), spool),
    ] {
      #expect(found.count == 1 && found.first?.message.hasPrefix("\(path): new files there") == true)
      #expect(found.first?.hint.contains("chgrp -R \(GroupAccess.name(of: getegid())) \(path) && ") == true)
    }
  }

  /// The group gives no access, or is the daemon's as well: nothing is lost.
  @Test func acceptsWhatHasNoOtherReaders() throws {
    #expect(try losses(0o700, stream: 0o700) == [])
    try #require(chmod(spool, 0o750) == 0)
    #expect(ReaderAccess(configuration, group: getegid()).losses() == [])
    var configuration = configuration
    configuration.spool.directory += "/none"
    #expect(ReaderAccess(configuration, group: getegid()).losses() == [])
  }

  /// What `cp -r` and `chown -R` leave.
  @Test(.enabled(if: geteuid() == 0, "needs root")) func findsAStreamOfAnotherGroup() throws {
    try #require(chown(spool, uid_t.max, 12_345) == 0 && chmod(spool, 0o2750) == 0)
    let found = ReaderAccess(configuration).losses()
    #expect(found.map { $0.hint.contains("chgrp -R 12345 \(spool)/default ") } == [true])
  }
}
