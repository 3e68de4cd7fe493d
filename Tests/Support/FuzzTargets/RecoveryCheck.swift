import BoxEvents
import TestDisks

@testable import Spool

/// What must hold when a stream starts on any leftovers: it goes on from evidence, or blocks until an operator
/// decides; never from nothing; and what it commits afterwards is there at the next start.
struct RecoveryCheck {
  private static let thread = try? DiskThread()
  private static let clock = SpoolClock(wallSeconds: { 1_800_000_000 }, monotonic: { .seconds(1000) })
  private static let lines = (1...3).map { Array(#"{"event_id":"fuzz-\#($0)"}"#.utf8) }

  private let scene: RecoveryScene

  init(_ input: [UInt8]) {
    scene = RecoveryScene(input)
  }

  /// What a step found wrong, instead of going on.
  private struct Violation: Error {
    var message: String
  }

  func violations() async -> [String] {
    do {
      try await run()
      return []
    } catch let violation as Violation {
      return [violation.message]
    } catch {
      return ["failed after a successful recovery: \(error)"]
    }
  }

  private func run() async throws {
    let disk = try scene.disk()
    let place = try Self.place(on: disk)
    let recovery: Recovery
    let store = try self.store(place)
    do throws(StoreFailure) {
      recovery = try await store.recover()
    } catch {
      try Self.require(error.code == .blocked, "not blocked but \(error)")
      try Self.require(
        error.hint?.contains("box-eventd position set") == true, "blocked without a way out")
      await store.close()
      return try await takeTheWayOut(place)
    }
    try check(recovery)
    guard Self.isPossible(recovery) else { return await store.close() }
    if recovery.checkpoint == nil { try await store.begin(at: Checkpoint(position: Self.position("1000"))) }
    let committed = try await Self.commit(to: store)
    await store.close()
    try await restart(place, expecting: committed)
  }

  private static func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(message: message()) }
  }

  private static func position(_ text: String) throws(Violation) -> ReadPosition {
    guard let position = ReadPosition(text) else { throw Violation(message: "no position: \(text)") }
    return position
  }

  private static func place(on disk: MemoryDisk) throws(StoreFailure) -> StreamSpool.Location {
    StreamSpool.Location(
      name: "default", feed: RecoveryScene.feed,
      spoolRoot: try .root("/spool", on: disk, access: .shared),
      stateRoot: try .root("/state", on: disk, access: .own))
  }

  private func store(_ place: StreamSpool.Location, boot: String? = nil) throws -> StreamSpool {
    guard let thread = Self.thread else { throw Violation(message: "no thread") }
    return StreamSpool(place, bootID: boot ?? scene.boot, clock: Self.clock, thread: thread)
  }

  /// A first start only where nothing has run; otherwise a position that something on the disk names.
  private func check(_ recovery: Recovery) throws {
    guard let checkpoint = recovery.checkpoint else {
      try Self.require(!scene.hasRun, "what has run before is taken for a first start")
      try Self.require(recovery.ordinal == 0, "a first start at event \(recovery.ordinal)")
      return
    }
    let position = checkpoint.position.description
    let words = checkpoint.position == .oldest ? ["0", "oldest"] : [position]
    let isNamed = scene.evidence.contains { text in
      text.contains(#"\u"#) || words.contains { text.contains($0) }
    }
    try Self.require(isNamed || checkpoint.position == .oldest, "nothing on the disk contains \(position)")
  }

  /// A stream can't have 2^61 events; from 2^62 on a record is none.
  private static func isPossible(_ recovery: Recovery) -> Bool { recovery.ordinal < 1 << 61 }

  private static func commit(to store: StreamSpool) async throws -> Committed {
    let next = StreamPosition("2000")
    let page = try EventPage(lines: lines, nextPosition: next)
    let batch = try await store.deduplicate(page, readFrom: position("1000"))
    return try await store.commit(batch, at: Checkpoint(position: position("2000")))
  }

  /// The next start finds the commit, in the same boot or another.
  private func restart(_ place: StreamSpool.Location, expecting committed: Committed) async throws {
    for boot in [scene.boot, "another-boot"] {
      let store = try self.store(place, boot: boot)
      let recovery = try await store.recover()
      try Self.require(
        recovery.checkpoint?.position.description == "2000", "the commit is not found: \(recovery)")
      try Self.require(recovery.ordinal == committed.ordinal, "\(recovery.ordinal), not \(committed.ordinal)")
      try Self.require(recovery.notes.isEmpty && !recovery.rebuilt, "not intact: \(recovery.notes)")
      let page = try EventPage(lines: Self.lines, nextPosition: nil)
      let batch = try await store.deduplicate(page, readFrom: Self.position("2000"))
      try Self.require(batch.new.isEmpty, "\(batch.new.count) events are not known again")
      await store.close()
    }
    try Self.checkSegments(place, newest: committed.events)
  }

  /// The newest segment ends with what was committed last.
  private static func checkSegments(_ place: StreamSpool.Location, newest count: Int) throws {
    guard count > 0 else { return }
    guard let spool = try place.spoolRoot.subdirectory("default"),
      let newest = try spool.names().compactMap(SegmentName.ordinal).max(),
      let file = try spool.file(SegmentName.text(newest), writing: false)
    else { throw Violation(message: "no segment after a commit") }
    let bytes = try file.bytes(in: 0..<file.size())
    let expected = Array((lines.suffix(count).joined(separator: [0x0A])) + [0x0A])
    try require(
      bytes.suffix(expected.count).elementsEqual(expected), "the segment doesn't end with the commit")
  }

  /// `position set` is the way out of everything that blocks.
  private func takeTheWayOut(_ place: StreamSpool.Location) async throws {
    let stopped = StoppedStream(place, bootID: scene.boot, clock: Self.clock)
    _ = try stopped.set(to: Self.position("1000"))
    let store = try self.store(place)
    let recovery = try await store.recover()
    try Self.require(recovery.checkpoint?.position.description == "1000", "set to 1000, at \(recovery)")
    guard Self.isPossible(recovery) else { return await store.close() }
    let committed = try await Self.commit(to: store)
    await store.close()
    try await restart(place, expecting: committed)
  }
}
