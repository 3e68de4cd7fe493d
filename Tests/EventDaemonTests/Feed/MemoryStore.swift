import BoxEvents

/// An event store without a disk, which fails on demand. It keeps the contract of ``EventStore``; what it
/// holds outlives ``close()``, as a disk's contents do.
actor MemoryStore: EventStore {
  private(set) var lines: [String] = []
  private(set) var checkpoints: [Checkpoint] = []
  private(set) var gaps: [Gap] = []
  private(set) var quarantined = 0
  private(set) var isClosed = false
  private var known: Set<EventIdentity> = []
  private var batches: UInt64 = 0
  /// A commit that a full disk has interrupted.
  private var pending: (batch: EventBatch, checkpoint: Checkpoint)?
  private let first: Checkpoint?
  /// Commits, counted down, that find the disk full.
  private var fullCommits = 0
  /// Checks of the free space, counted down, that find too little.
  private var fullChecks = 0
  private var commitFailure: StoreFailure?
  private var isFullForSaves = false

  init(_ checkpoint: Checkpoint? = nil) {
    first = checkpoint
  }

  func setFull(commits: Int = 0, checks: Int = 0) {
    (fullCommits, fullChecks) = (commits, checks)
  }

  func fillForSaves() { isFullForSaves = true }

  func failCommits(with failure: StoreFailure) {
    commitFailure = failure
  }

  func recover() async throws(StoreFailure) -> Recovery {
    pending = nil
    isClosed = false
    return Recovery(
      checkpoint: checkpoints.last ?? first, ordinal: UInt64(lines.count), recordedGaps: gaps.count)
  }

  func begin(at checkpoint: Checkpoint) async throws(StoreFailure) { checkpoints.append(checkpoint) }

  func deduplicate(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure)
    -> EventBatch
  {
    var seen = known
    let new = page.events.indices.filter { seen.insert(page.events[$0].identity).inserted }
    let newRejects = page.rejects.indices.filter { seen.insert(page.rejects[$0].identity).inserted }
    batches += 1
    return EventBatch(
      id: batches, page: page, readFrom: position, new: new, duplicates: page.events.count - new.count,
      newRejects: newRejects)
  }

  func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed {
    if let commitFailure { throw commitFailure }
    if fullCommits > 0 {
      fullCommits -= 1
      pending = pending ?? (batch, checkpoint)
      throw StoreFailure(.noSpace, "full")
    }
    if let waiting = pending {
      pending = nil
      if waiting.batch != batch { _ = store(waiting.batch, at: waiting.checkpoint) }
    }
    return store(batch, at: checkpoint)
  }

  private func store(_ batch: EventBatch, at checkpoint: Checkpoint) -> Committed {
    var done = Committed(events: 0, bytes: 0, ordinal: 0)
    for index in batch.new {
      let event = batch.page.events[index]
      guard known.insert(event.identity).inserted else { continue }
      lines.append(String(decoding: batch.page.bytes[event.range], as: UTF8.self))
      done.events += 1
      done.bytes += event.range.count + 1
    }
    for index in batch.newRejects where known.insert(batch.page.rejects[index].identity).inserted {
      quarantined += 1
    }
    checkpoints.append(checkpoint)
    done.ordinal = UInt64(lines.count)
    return done
  }

  func save(_ checkpoint: Checkpoint) async throws(StoreFailure) {
    if isFullForSaves { throw StoreFailure(.noSpace, "full") }
    checkpoints.append(checkpoint)
  }

  func record(_ gap: Gap) async throws(StoreFailure) {
    if !gaps.contains(gap) { gaps.append(gap) }
  }

  func requireFreeSpace() async throws(StoreFailure) {
    guard fullChecks > 0 else { return }
    fullChecks -= 1
    throw StoreFailure(.noSpace, "too little is left")
  }

  func close() async { isClosed = true }
}
