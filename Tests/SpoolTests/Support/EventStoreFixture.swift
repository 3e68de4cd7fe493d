import BoxEvents

@testable import Spool

/// What tests of one store's calls begin with.
protocol EventStoreFixture {}

extension EventStoreFixture {
  var checkpoint: Checkpoint { Checkpoint(position: ReadPosition("2") ?? .now) }

  func page(_ lines: [String]) throws -> EventPage {
    try EventPage(lines: lines.map { Array($0.utf8) }, nextPosition: StreamPosition("2"))
  }

  /// A store of a stream that has just begun.
  func begun(
    _ fixture: SpoolFixture, on disk: any Disk = LocalDisk(), boot: String = "boot-1"
  ) async throws -> StreamSpool {
    let store = try fixture.store(on: disk, boot: boot)
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    return store
  }

  @discardableResult
  func commit(_ lines: [String], to store: StreamSpool) async throws -> Committed {
    let batch = try await store.deduplicate(page(lines), readFrom: .oldest)
    return try await store.commit(batch, at: checkpoint)
  }
}

extension StreamSpool {
  /// What is open.
  var open: OpenSpool? {
    guard case .open(let spool) = state else { return nil }
    return spool
  }
}
