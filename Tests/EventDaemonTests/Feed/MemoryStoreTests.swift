import Contracts
import Testing

/// The store of the driver's tests keeps the contract of ``EventStore``, or they would prove little.
struct MemoryStoreTests {
  @Test(arguments: EventStoreContract.clauses)
  func keepsTheContractOfAStore(_ clause: EventStoreContract) async throws {
    let store = MemoryStore()
    try await clause.check(
      StoreUnderTest(
        open: { store },
        lines: { await store.lines },
        setFull: { isFull in await store.setFull(commits: isFull ? .max : 0, checks: isFull ? .max : 0) }))
  }
}
