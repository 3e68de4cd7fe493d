import Contracts
import Spool
import StoppingDisk
import TestDisks
import Testing

/// Every disk keeps the contract of ``Disk``. The simulated disk that SimulationTests use is checked there.
struct DiskContractTests {
  @Test(arguments: DiskContract.clauses)
  func localDisk(_ clause: DiskContract) throws { try check(clause, LocalDisk()) }

  @Test(arguments: DiskContract.clauses)
  func memoryDisk(_ clause: DiskContract) throws { try clause.check(MemoryDisk(), root: "/spool") }

  @Test(arguments: DiskContract.clauses)
  func memoryDiskWithLargeSectors(_ clause: DiskContract) throws {
    try clause.check(MemoryDisk(sectorSize: 4096), root: "/state")
  }

  @Test(arguments: DiskContract.clauses)
  func stoppingDisk(_ clause: DiskContract) throws { try check(clause, StoppingDisk(stoppingAt: nil)) }

  @Test(arguments: DiskContract.clauses)
  func faultyDisk(_ clause: DiskContract) throws { try check(clause, FaultyDisk(LocalDisk())) }

  @Test(arguments: DiskContract.clauses)
  func piecemealDisk(_ clause: DiskContract) throws {
    try check(clause, PiecemealDisk(LocalDisk()))
    try clause.check(PiecemealDisk(MemoryDisk(), pieceSize: 1), root: "/spool")
  }

  @Test(arguments: DiskContract.clauses)
  func fillableDisk(_ clause: DiskContract) throws { try check(clause, FillableDisk(LocalDisk())) }

  private func check(_ clause: DiskContract, _ disk: any Disk) throws {
    let fixture = try SpoolFixture()
    try clause.check(disk, root: fixture.spoolPath)
  }
}
