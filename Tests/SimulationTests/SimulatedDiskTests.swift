import Contracts
import TestDisks
import Testing

@testable import Simulation

/// With nothing planned, the simulated disk is a disk like any other.
struct SimulatedDiskTests {
  @Test(arguments: DiskContract.clauses)
  func keepsTheContractOfADisk(_ clause: DiskContract) throws {
    let disk = SimulatedDisk(
      sectorSize: 512, plan: FaultPlan(), choices: .exhaustive, trace: Trace(isOn: false))
    try clause.check(disk, root: "/spool")
  }
}
