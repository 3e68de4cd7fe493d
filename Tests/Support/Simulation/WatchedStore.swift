import BoxEvents
import Spool

/// The real spool, observed by the model, on the spool's own thread.
actor WatchedStore: EventStore {
  private let spool: StreamSpool
  private let disk: SimulatedDisk
  private let box: SimulatedBox
  private let model: ReferenceModel
  nonisolated var unownedExecutor: UnownedSerialExecutor { spool.unownedExecutor }

  init(spool: StreamSpool, disk: SimulatedDisk, box: SimulatedBox, model: ReferenceModel) {
    self.spool = spool
    self.disk = disk
    self.box = box
    self.model = model
  }

  func recover() async throws(StoreFailure) -> Recovery {
    disk.phase = .recovery
    let recovery = try await spool.recover()
    disk.trace.add(
      "  recovered at \(recovery.checkpoint?.position.description ?? "none"), \(recovery.ordinal)")
    for note in recovery.notes { disk.trace.add("  \(note)") }
    model.recovered(recovery, disk.image, box.world)
    return recovery
  }

  func begin(at checkpoint: Checkpoint) async throws(StoreFailure) {
    disk.phase = .begin
    try await spool.begin(at: checkpoint)
    model.begin(at: checkpoint.position)
  }

  func deduplicate(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure)
    -> EventBatch
  {
    disk.phase = .deduplicate
    return try await spool.deduplicate(page, readFrom: position)
  }

  func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed {
    disk.phase = .commit
    model.committing(box.world)
    disk.trace.add("  commit \(batch.new) of \(page(batch)) at \(checkpoint.position)")
    let committed = try await spool.commit(batch, at: checkpoint)
    model.committed(committed, disk.image)
    model.check(checkpoint.position, disk.image, box.world)
    return committed
  }

  private func page(_ batch: EventBatch) -> String { "\(model.state.page.map { $0.item })" }

  func save(_ checkpoint: Checkpoint) async throws(StoreFailure) {
    disk.phase = .save
    model.check(checkpoint.position, disk.image, box.world)
    try await spool.save(checkpoint)
  }

  func record(_ gap: Gap) async throws(StoreFailure) {
    disk.phase = .gap
    try await spool.record(gap)
  }

  func requireFreeSpace() async throws(StoreFailure) {
    disk.phase = .freeSpace
    try await spool.requireFreeSpace()
  }

  func close() async {
    disk.phase = .close
    await spool.close()
  }
}
