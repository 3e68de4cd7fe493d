package import BoxEvents

/// A store that the contract is checked on, and the view of it from outside.
package struct StoreUnderTest {
  /// Opens the store where the one before was closed, as another process would.
  package var open: () async throws -> any EventStore
  /// The events it holds, in order, each a line without its newline.
  package var lines: () async throws -> [String]
  /// Fills its disk up, or frees space again.
  package var setFull: (Bool) async -> Void

  package init(
    open: @escaping () async throws -> any EventStore,
    lines: @escaping () async throws -> [String],
    setFull: @escaping (Bool) async -> Void
  ) {
    (self.open, self.lines, self.setFull) = (open, lines, setFull)
  }
}

/// What every ``EventStore`` must do, whatever it stores events in.
///
/// A test applies each clause to an empty store of each kind: `Tests/SpoolTests/EventStoreContractTests.swift`
/// for files, `Tests/EventDaemonTests/Feed/MemoryStoreTests.swift` for the one in memory. Another store
/// brings a test of these few lines.
package struct EventStoreContract: Sendable, CustomStringConvertible {
  package let description: String
  private let body: @Sendable (StoreUnderTest) async throws -> Void

  private init(
    _ description: String, _ body: @escaping @Sendable (StoreUnderTest) async throws -> Void
  ) {
    self.description = description
    self.body = body
  }

  /// - Throws: ``ContractViolation``, or an unexpected error of the store.
  package func check(_ store: StoreUnderTest) async throws {
    try await body(store)
  }

  package static let clauses: [EventStoreContract] = start + events + fullDisk

  // MARK: Start and position

  private static let start = [
    EventStoreContract("an empty store has no position") { subject in
      let store = try await subject.open()
      try equal(try await store.recover(), Recovery(checkpoint: nil, ordinal: 0))
      try await store.requireFreeSpace()
      await store.close()
    },
    EventStoreContract("the first page is deduplicated before the stream begins") { subject in
      let store = try await subject.open()
      _ = try await store.recover()
      let batch = try await store.deduplicate(page(["a"]), readFrom: .oldest)
      try equal(batch.new, [0])
      try await store.begin(at: Checkpoint(position: .oldest))
      _ = try await store.commit(batch, at: checkpoint(1))
      try equal(try await subject.lines(), lines(["a"]))
      await store.close()
    },
    EventStoreContract("a stream that has begun is never a first start again") { subject in
      try await begun(subject).close()
      let store = try await subject.open()
      let recovery = try await store.recover()
      try equal(recovery.checkpoint, Checkpoint(position: .oldest))
      try equal(recovery.ordinal, 0)
      await store.close()
    },
    EventStoreContract("a saved position is the next one to go on from") { subject in
      let store = try await begun(subject)
      let saved = Checkpoint(
        position: try position(7), confirmedAt: BoxTime(secondsSince1970: 100),
        readSince: BoxTime(secondsSince1970: 90))
      try await store.save(checkpoint(6))
      try await store.save(saved)
      await store.close()
      let next = try await subject.open()
      try equal(try await next.recover().checkpoint, saved)
      await next.close()
    },
    EventStoreContract("a gap is recorded once") { subject in
      let store = try await begun(subject)
      let gap = Gap(
        cause: .retention, from: .oldest, to: try position(1), since: BoxTime(secondsSince1970: 1),
        until: BoxTime(secondsSince1970: 2))
      try await store.record(gap)
      try await store.record(gap)
      await store.close()
      let next = try await subject.open()
      let recovery = try await next.recover()
      try equal(recovery.recordedGaps, 1)
      // Its caller has reported it.
      try equal(recovery.gaps, [])
      try await next.record(gap)
      await next.close()
      let last = try await subject.open()
      try equal(try await last.recover().recordedGaps, 1)
      await last.close()
    },
  ]

  // MARK: Events

  private static let events = [
    EventStoreContract("committed events stay, byte for byte and in order, with their position") { subject in
      let store = try await begun(subject)
      let event = #"{"event_id":"b", "n" : 1.2318237429383e+31,"s":"ü\u0000"}"#
      let batch = try await store.deduplicate(page(["a"], adding: [event]), readFrom: .oldest)
      let committed = try await store.commit(batch, at: checkpoint(2))
      let expected = lines(["a"]) + [event]
      let bytes = expected.reduce(0) { $0 + $1.utf8.count + 1 }
      try equal(committed, Committed(events: 2, bytes: bytes, ordinal: 2))
      try equal(try await subject.lines(), expected)
      await store.close()
      let next = try await subject.open()
      let recovery = try await next.recover()
      try equal(recovery.checkpoint, try checkpoint(2))
      try equal(recovery.ordinal, 2)
      try equal(try await subject.lines(), expected)
      await next.close()
    },
    EventStoreContract("an event is new once: in a page, in a run and over a restart") { subject in
      var store = try await begun(subject)
      var batch = try await store.deduplicate(page(["a", "b", "a"]), readFrom: .oldest)
      try equal(batch.new, [0, 1])
      try equal(batch.duplicates, 1)
      _ = try await store.commit(batch, at: checkpoint(2))
      for _ in 0..<2 {
        batch = try await store.deduplicate(page(["b", "c"]), readFrom: position(1))
        try equal(batch.new, [1])
        try equal(batch.duplicates, 1)
        await store.close()
        store = try await subject.open()
        _ = try await store.recover()
      }
      await store.close()
    },
    EventStoreContract("deduplication stores nothing") { subject in
      let store = try await begun(subject)
      let first = try await store.deduplicate(page(["a"]), readFrom: .oldest)
      let second = try await store.deduplicate(page(["a"]), readFrom: .oldest)
      try equal(first.new, second.new)
      try ContractViolation.require(first.id != second.id, "two batches have the same id")
      try equal(try await subject.lines(), [])
      await store.close()
    },
    EventStoreContract("a batch that is committed twice is stored once") { subject in
      let store = try await begun(subject)
      let batch = try await store.deduplicate(page(["a", "b"]), readFrom: .oldest)
      let overlapping = try await store.deduplicate(page(["b", "c"]), readFrom: .oldest)
      _ = try await store.commit(batch, at: checkpoint(2))
      try equal(try await store.commit(batch, at: checkpoint(2)).events, 0)
      // Deduplicated before the other one was committed.
      try equal(try await store.commit(overlapping, at: checkpoint(3)).events, 1)
      try equal(try await subject.lines(), lines(["a", "b", "c"]))
      await store.close()
    },
    EventStoreContract("an entry that is not an event is quarantined once") { subject in
      var store = try await begun(subject)
      let odd = try page(["a"], adding: [#""odd""#, #""odd""#])
      let batch = try await store.deduplicate(odd, readFrom: .oldest)
      try equal(batch.newRejects, [0])
      _ = try await store.commit(batch, at: checkpoint(1))
      try equal(try await subject.lines(), lines(["a"]))
      try equal(try await store.deduplicate(odd, readFrom: .oldest).newRejects, [])
      await store.close()
      store = try await subject.open()
      _ = try await store.recover()
      try equal(try await store.deduplicate(odd, readFrom: .oldest).newRejects, [])
      await store.close()
    },
  ]

  // MARK: A full disk

  private static let fullDisk = [
    EventStoreContract("a commit that a full disk has interrupted goes on when it is called again") {
      subject in
      let store = try await begun(subject)
      let batch = try await store.deduplicate(page(["a", "b"], adding: [#""odd""#]), readFrom: .oldest)
      await subject.setFull(true)
      try await failsForSpace { () async throws(StoreFailure) in try await store.requireFreeSpace() }
      for _ in 0..<3 { try await failsForSpace(store, batch, at: checkpoint(2)) }
      await subject.setFull(false)
      try await store.requireFreeSpace()
      try equal(try await store.commit(batch, at: checkpoint(2)).ordinal, 2)
      try equal(try await subject.lines(), lines(["a", "b"]))
      await store.close()
    },
    EventStoreContract("a batch that waits for space is stored before another one") { subject in
      let store = try await begun(subject)
      let first = try await store.deduplicate(page(["a"]), readFrom: .oldest)
      await subject.setFull(true)
      try await failsForSpace(store, first, at: checkpoint(1))
      await subject.setFull(false)
      let second = try await store.deduplicate(page(["b"]), readFrom: .oldest)
      _ = try await store.commit(second, at: checkpoint(1))
      try equal(try await subject.lines(), lines(["a", "b"]))
      await store.close()
    },
    EventStoreContract("what waited for space at the end of a process is new in the next one") { subject in
      var store = try await begun(subject)
      let batch = try await store.deduplicate(page(["a"]), readFrom: .oldest)
      await subject.setFull(true)
      try await failsForSpace(store, batch, at: checkpoint(1))
      await store.close()
      await subject.setFull(false)
      store = try await subject.open()
      let recovery = try await store.recover()
      try equal(recovery.checkpoint, Checkpoint(position: .oldest))
      let again = try await store.deduplicate(page(["a", "b"]), readFrom: .oldest)
      _ = try await store.commit(again, at: checkpoint(2))
      try equal(try await subject.lines(), lines(["a", "b"]))
      await store.close()
    },
  ]

  // MARK: Steps

  private static func begun(_ subject: StoreUnderTest) async throws -> any EventStore {
    let store = try await subject.open()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    return store
  }

  private static func failsForSpace(
    _ store: any EventStore, _ batch: EventBatch, at checkpoint: Checkpoint
  ) async throws {
    try await failsForSpace { () async throws(StoreFailure) in
      _ = try await store.commit(batch, at: checkpoint)
    }
  }

  private static func failsForSpace(
    line: Int = #line, _ call: () async throws(StoreFailure) -> Void
  ) async throws {
    do throws(StoreFailure) { try await call() } catch { return try equal(error.code, .noSpace, line: line) }
    throw ContractViolation(description: "a call has succeeded on a full disk (line \(line) of the contract)")
  }

  private static func lines(_ ids: [String]) -> [String] { ids.map { #"{"event_id":"\#($0)"}"# } }

  private static func page(_ ids: [String], adding others: [String] = []) throws -> EventPage {
    try EventPage(lines: (lines(ids) + others).map { Array($0.utf8) }, nextPosition: nil)
  }

  private static func position(_ number: Int) throws(ContractViolation) -> ReadPosition {
    guard let position = ReadPosition(String(number)) else {
      throw ContractViolation(description: "\(number) is not a position")
    }
    return position
  }

  private static func checkpoint(_ number: Int) throws(ContractViolation) -> Checkpoint {
    Checkpoint(position: try position(number))
  }

  private static func equal<Value: Equatable>(
    _ found: Value, _ expected: Value, line: Int = #line
  ) throws(ContractViolation) {
    try ContractViolation.requireEqual(found, expected, line: line)
  }
}
