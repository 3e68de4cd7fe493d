import BoxEvents
import Glibc
import TestDisks
import Testing

@testable import Spool

/// Another's files in place of the daemon's own are refused: not followed, not waited for.
struct ForeignFilesTests {
  private func code(_ fixture: SpoolFixture, on disk: any Disk = LocalDisk()) async throws -> StoreFailure
    .Code?
  {
    do {
      try await fixture.drain(SimulatedBox(total: 9), into: fixture.store(on: disk))
      return nil
    } catch let failure as StoreFailure {
      return failure.code
    }
  }

  private func used() async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    return fixture
  }

  static let names = [
    "stream_position", "segments.ndjson", "quarantine.ndjson", "events-0000000000000000.ndjson",
  ]

  private func path(_ name: String, _ fixture: SpoolFixture) -> String {
    name == "stream_position" ? fixture.positionPath : fixture.path(name)
  }

  @Test(arguments: names)
  func symbolicLink(name: String) async throws {
    let fixture = try await used()
    let target = path(name, fixture)
    try #require(rename(target, target + ".real") == 0)
    try #require(symlink(target + ".real", target) == 0)
    #expect(try await code(fixture) == .refused)
  }

  @Test(arguments: names)
  func fifo(name: String) async throws {
    let fixture = try await used()
    try #require(unlink(path(name, fixture)) == 0)
    try #require(mkfifo(path(name, fixture), 0o600) == 0)
    #expect(try await code(fixture) == .refused)
  }

  /// What takes the place of a file of the spool or the state, perhaps one that is made only later.
  enum Odd: CaseIterable {
    case directory, fifo, socket, danglingLink

    /// What a message calls it.
    var name: String {
      switch self {
      case .directory: "it is a directory"
      case .fifo, .socket: "it is not a plain file"
      case .danglingLink: "it is a symbolic link, or a loop of them"
      }
    }
  }

  static let writtenLater = [
    "segments.ndjson", "gaps.ndjson", "quarantine.ndjson", ".durable", "state/known_ids", "state/.known_ids",
    "state/stream_position",
  ]

  /// Nothing may be stored before it is reported, also on a first start.
  @Test(arguments: writtenLater, Odd.allCases)
  func recoveryNamesWhatIsInThePlaceOfAFile(name: String, odd: Odd) async throws {
    for isFirst in [true, false] {
      let fixture = try await isFirst ? SpoolFixture() : used()
      try StreamFiles(making: fixture.place()).close()
      let path =
        name.hasPrefix("state/")
        ? "\(fixture.statePath)/default/\(name.dropFirst(6))" : fixture.path(name)
      unlink(path)
      switch odd {
      case .directory: try #require(mkdir(path, 0o750) == 0)
      case .fifo: try #require(mkfifo(path, 0o600) == 0)
      case .socket: try #require(mknod(path, S_IFSOCK | 0o600, 0) == 0)
      case .danglingLink: try #require(symlink("nowhere", path) == 0)
      }
      let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
      #expect(failure?.code == .refused, "first: \(isFirst)")
      #expect(failure?.message == "cannot open \(path): \(odd.name)")
      // Once it is gone, the stream goes on. Without its position or segments.ndjson it goes another way.
      try #require(remove(path) == 0)
      try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
      try fixture.expectIntact(SimulatedBox(total: 9))
    }
  }

  /// Any other file in the place of the link is replaced.
  @Test(arguments: ["current", ".current"])
  func recoveryNamesADirectoryInThePlaceOfTheLink(name: String) async throws {
    let fixture = try SpoolFixture()
    try StreamFiles(making: fixture.place()).close()
    try #require(mkdir(fixture.path(name), 0o750) == 0)
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .refused)
    #expect(failure?.message == "cannot rename \(fixture.path(name)): Is a directory")
    try #require(rmdir(fixture.path(name)) == 0)
    #expect(mkfifo(fixture.path(name), 0o600) == 0)
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 4))
  }

  @Test func hardLinkToThePosition() async throws {
    let fixture = try await used()
    try #require(link(fixture.positionPath, fixture.statePath + "/other") == 0)
    #expect(try await code(fixture) == .refused)
  }

  /// As a backup with `cp -al` makes them.
  @Test func hardLinksToFilesOfTheSpool() async throws {
    let fixture = try await used()
    for name in ["segments.ndjson", "events-0000000000000000.ndjson"] {
      try #require(link(fixture.path(name), "\(fixture.spoolPath)/\(name)") == 0)
    }
    #expect(try await code(fixture) == nil)
    try fixture.expectIntact(SimulatedBox(total: 9))
  }

  /// What is appended to the other name would be lost to readers.
  @Test(arguments: [false, true]) func deletedSegment(hasLink: Bool) async throws {
    let fixture = try await used()
    let store = try fixture.store()
    let position = try #require(try await store.recover().checkpoint?.position)
    let segment = fixture.path("events-0000000000000000.ndjson")
    if hasLink { try #require(link(segment, fixture.spoolPath + "/other") == 0) }
    try #require(unlink(segment) == 0)
    let page = try SimulatedBox(total: 9).page(from: position)
    let batch = try await store.deduplicate(page, readFrom: position)
    let done = try await store.commit(batch, at: Checkpoint(position: position))
    #expect(done.gaps.map(\.cause) == [.spoolShortened])
    #expect(try fixture.segmentNames() == [SegmentName.text(4)])
  }

  @Test(arguments: ["stream_position", "events-0000000000000000.ndjson"])
  func writableForOthers(name: String) async throws {
    let fixture = try await used()
    try #require(chmod(path(name, fixture), 0o666) == 0)
    #expect(try await code(fixture) == .refused)
  }

  @Test func directories() async throws {
    let open = try await used()
    try #require(chmod("\(open.spoolPath)/default", 0o777) == 0)
    #expect(try await code(open) == .refused)

    let linked = try SpoolFixture()
    try #require(symlink(linked.statePath, "\(linked.spoolPath)/default") == 0)
    #expect(try await code(linked) == .refused)

    let file = try SpoolFixture()
    try file.write([], to: "\(file.statePath)/default")
    #expect(try await code(file) == .refused)
  }

  @Test func foreignOwner() async throws {
    let fixture = try await used()
    #expect(try await code(fixture, on: FaultyDisk(LocalDisk(), userID: geteuid() + 1)) == .refused)
  }

  @Test func linkInPlaceOfASegment() async throws {
    let fixture = try SpoolFixture()
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    try #require(symlink("/etc/passwd", fixture.path("events-0000000000000000.ndjson")) == 0)
    let box = SimulatedBox(total: 3)
    let failure = await #expect(throws: StoreFailure.self) {
      let batch = try await store.deduplicate(box.page(from: .oldest), readFrom: .oldest)
      _ = try await store.commit(batch, at: Checkpoint(position: .oldest))
    }
    #expect(failure?.code == .refused)
  }
}
