import BoxEvents
import Spool

/// The real spool, with the oracle looking on.
struct WatchedStore: EventStore {
  let spool: StreamSpool
  let disk: SimulatedDisk
  let box: SimulatedBox
  let oracle: Oracle

  func recover() async throws(StoreFailure) -> Recovery {
    disk.phase = .recovery
    let recovery = try await spool.recover()
    disk.trace.add("  recovered at \(recovery.mark?.position.description ?? "none"), \(recovery.ordinal)")
    for note in recovery.notes { disk.trace.add("  \(note)") }
    oracle.recovered(recovery, disk.image, box.world)
    return recovery
  }

  func begin(at mark: PositionMark) async throws(StoreFailure) {
    disk.phase = .begin
    try await spool.begin(at: mark)
    oracle.begin(at: mark.position)
  }

  func sift(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure) -> EventBatch {
    disk.phase = .sift
    return try await spool.sift(page, readFrom: position)
  }

  func commit(_ batch: EventBatch, at mark: PositionMark) async throws(StoreFailure) -> Committed {
    disk.phase = .commit
    oracle.committing(box.world)
    disk.trace.add("  commit \(batch.new) of \(page(batch)) at \(mark.position)")
    let committed = try await spool.commit(batch, at: mark)
    oracle.committed(committed, disk.image)
    oracle.judge(mark.position, disk.image, box.world)
    return committed
  }

  private func page(_ batch: EventBatch) -> String { "\(oracle.state.page.map { $0.item })" }

  func save(_ mark: PositionMark) async throws(StoreFailure) {
    disk.phase = .save
    oracle.judge(mark.position, disk.image, box.world)
    try await spool.save(mark)
  }

  func record(_ gap: Gap) async throws(StoreFailure) {
    disk.phase = .gap
    try await spool.record(gap)
  }

  func hasRoom() async throws(StoreFailure) -> Bool {
    disk.phase = .room
    return try await spool.hasRoom()
  }

  func close() async {
    disk.phase = .close
    await spool.close()
  }
}
