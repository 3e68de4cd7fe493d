import BoxEvents
import Contracts
import TestDisks
import Testing

@testable import Spool

/// The spool keeps the contract of ``EventStore``, on a real disk and in memory.
struct EventStoreContractTests {
  @Test(arguments: EventStoreContract.clauses)
  func onLocalDisk(_ clause: EventStoreContract) async throws {
    let fixture = try SpoolFixture()
    try await clause.check(subject(fixture, FillableDisk(LocalDisk())))
  }

  @Test(arguments: EventStoreContract.clauses)
  func inMemory(_ clause: EventStoreContract) async throws {
    try await clause.check(subject(SpoolFixture(memory: ()), FillableDisk(MemoryDisk())))
  }

  /// Every commit begins a new segment, which makes it longer.
  @Test(arguments: EventStoreContract.clauses)
  func withASegmentForEachCommit(_ clause: EventStoreContract) async throws {
    let fixture = SpoolFixture(memory: ())
    fixture.limits.segmentSize = 1
    fixture.limits.minimumSegmentLife = .zero
    try await clause.check(subject(fixture, FillableDisk(MemoryDisk())))
  }

  private func subject(_ fixture: SpoolFixture, _ disk: FillableDisk) -> StoreUnderTest {
    StoreUnderTest(
      open: { try fixture.store(on: disk) },
      lines: { try fixture.lines(on: disk) },
      setFull: { disk.isFull = $0 })
  }
}
