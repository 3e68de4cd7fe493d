import BoxEvents
import Testing

@testable import Spool

struct InstanceLockTests {
  @Test func secondInstanceNamesTheFirst() throws {
    let fixture = try SpoolFixture()
    let directory = try DiskDirectory.root(fixture.statePath, on: LocalDisk(), access: .own)
    let first = try InstanceLock(directory, processID: 4711)
    let failure = #expect(throws: StoreFailure.self) { _ = try InstanceLock(directory, processID: 4712) }
    #expect(failure?.code == .locked)
    #expect(failure?.holder == 4711)
    #expect(failure?.message == "\(fixture.statePath) is in use by process 4711")
    first.release()
    try InstanceLock(directory, processID: 5).release()
    #expect(try fixture.read(fixture.statePath + "/.lock") == Array("5\n".utf8))
  }
}
