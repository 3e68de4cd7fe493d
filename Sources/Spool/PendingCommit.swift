import BoxEvents

/// A commit on its way to the disk. It holds all it needs, so that after a full disk it goes on at the
/// step, and within the batch at the byte, where it stopped.
struct PendingCommit: Sendable {
  struct Reject: Sendable {
    var identity: EventIdentity
    var line: [UInt8]
  }

  let readFrom: ReadPosition
  let checkpoint: Checkpoint
  /// Of the batch, to know the same call again.
  let batchID: EventBatch.ID

  /// Entries still to be quarantined, last one first.
  var rejects: [Reject] = []
  /// The new events' lines, newlines included.
  var lines: [UInt8] = []
  var identities: [EventIdentity] = []
  /// The segment for these lines has been decided on and is there.
  var hasSegment = false
  /// Bytes of `lines` that are in the file, not yet durable.
  var written = 0
  /// The lines are durable, counted and known.
  var isDurable = false

  init(_ batch: EventBatch, _ checkpoint: Checkpoint) {
    readFrom = batch.readFrom
    self.checkpoint = checkpoint
    batchID = batch.id
  }

  func isOf(_ batch: EventBatch, _ checkpoint: Checkpoint) -> Bool {
    batch.id == batchID && checkpoint == self.checkpoint
  }
}

/// A new segment on its way to the disk.
struct Rotation: Sendable {
  let ordinal: UInt64
  let begunAt: Int64
  /// ``KnownIDs`` has what the finished segment ends with.
  var isRemembered = false
  /// `segments.ndjson` has its line.
  var isAnnounced = false
  var file: DiskFile?
  /// Its directory entry is durable.
  var isNamed = false
}
