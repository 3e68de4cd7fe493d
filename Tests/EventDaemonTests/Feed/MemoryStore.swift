import BoxEvents

/// An event store without a disk, which can be told to fail.
actor MemoryStore: EventStore {
  private(set) var lines: [String] = []
  private(set) var marks: [Checkpoint] = []
  private(set) var gaps: [Gap] = []
  private(set) var quarantined = 0
  private(set) var isClosed = false
  private var known: Set<EventIdentity> = []
  private var batches: UInt64 = 0
  private let recovery: Recovery
  /// Commits, counted down, that find the disk full.
  var fullCommits = 0
  /// Looks at the room, counted down, that find too little.
  var fullLooks = 0
  var commitFailure: StoreFailure?

  init(_ checkpoint: Checkpoint? = nil) {
    recovery = Recovery(checkpoint: checkpoint, ordinal: 0)
  }

  func setFull(commits: Int = 0, looks: Int = 0) {
    (fullCommits, fullLooks) = (commits, looks)
  }

  func failCommits(with failure: StoreFailure) {
    commitFailure = failure
  }

  func recover() async throws(StoreFailure) -> Recovery { recovery }

  func begin(at checkpoint: Checkpoint) async throws(StoreFailure) { marks.append(checkpoint) }

  func deduplicate(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure)
    -> EventBatch
  {
    var seen = known
    let new = page.events.indices.filter { seen.insert(page.events[$0].identity).inserted }
    batches += 1
    return EventBatch(
      id: batches, page: page, readFrom: position, new: new, duplicates: page.events.count - new.count,
      newRejects: page.rejects.indices.filter { !known.contains(page.rejects[$0].identity) })
  }

  func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed {
    if let commitFailure { throw commitFailure }
    if fullCommits > 0 {
      fullCommits -= 1
      throw StoreFailure(.noSpace, "full")
    }
    for index in batch.new {
      let event = batch.page.events[index]
      known.insert(event.identity)
      lines.append(String(decoding: batch.page.bytes[event.range], as: UTF8.self))
    }
    for index in batch.newRejects { known.insert(batch.page.rejects[index].identity) }
    quarantined += batch.newRejects.count
    marks.append(checkpoint)
    return Committed(events: batch.new.count, bytes: 0, ordinal: UInt64(lines.count))
  }

  func save(_ checkpoint: Checkpoint) async throws(StoreFailure) { marks.append(checkpoint) }
  func record(_ gap: Gap) async throws(StoreFailure) { gaps.append(gap) }

  func hasFreeSpace() async throws(StoreFailure) -> Bool {
    guard fullLooks > 0 else { return true }
    fullLooks -= 1
    return false
  }

  func close() async { isClosed = true }
}
