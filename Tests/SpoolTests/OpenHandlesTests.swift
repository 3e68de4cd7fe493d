import BoxEvents
import TestDisks
import Testing

@testable import Spool

/// Every handle is closed, and closed once: those left open would add up, and the number of one that is closed again may
/// be another file's by then.
struct OpenHandlesTests: EventStoreFixture {
  private let box = SimulatedBox(total: 23)
  /// The directories of all streams.
  private let ofRoots = 2
  /// Also the stream's two directories, its position file and its newest segment.
  private let ofOpenStream = 6

  private func fixture() -> SpoolFixture {
    let fixture = SpoolFixture(memory: ())
    fixture.limits.segmentSize = 700
    return fixture
  }

  /// Each call of a run fails once, those that only read too. A full disk is tried again.
  @Test(
    arguments: [FaultyDisk.Fault.ioError, .noSpace, .noSpaceAtSync],
    [(false, false), (true, false), (false, true), (true, true)])
  func faultAtEveryCall(_ fault: FaultyDisk.Fault, _ run: (isFirstStart: Bool, rests: Bool)) async throws {
    let (isFirstStart, rests) = run
    let (before, first) = (MemoryDisk(), fixture())
    if !isFirstStart { try await first.drain(SimulatedBox(total: 9), into: first.store(on: before)) }
    // The first two calls are those of the roots.
    var call = 2
    var disk: FaultyDisk
    repeat {
      call += 1
      let (memory, fixture) = (MemoryDisk(), fixture())
      fixture.clock.advance(1000)
      fixture.rests = rests
      memory.image = before.image
      disk = FaultyDisk(memory, fault, at: call, countsReads: true)
      let store = try fixture.store(on: disk)
      var expected = rests ? ofRoots : ofOpenStream
      do throws(StoreFailure) {
        try await fixture.drain(box, into: store)
      } catch {
        #expect(fault == .ioError, "\(call): \(error.message)")
        expected = ofRoots
      }
      // The last call may have found a file it can't close now; the next one would.
      if rests { await store.close() }
      #expect(memory.openHandles == expected, "\(fault) at \(call)")
      #expect(memory.strayCloses == 0, "\(fault) at \(call)")
    } while disk.hasStruck
    #expect(call > 100)
  }

  /// The position file, which someone has moved, can't be made again at once.
  @Test func fullDiskAfterAMove() async throws {
    let events = ["a", "b"].map { #"{"event_id":"\#($0)"}"# }
    var at = 0
    var disk: FaultyDisk
    var struck = 0
    repeat {
      let (memory, fixture) = (MemoryDisk(), fixture())
      let quiet = FaultyDisk(memory, countsReads: true)
      var store = try await begun(fixture, on: quiet)
      try await commit([events[0]], to: store)
      await store.close()
      memory.kill()
      // So far it is the same every time; the fault comes after this.
      let recovering = FaultyDisk(memory, countsReads: true)
      _ = try await fixture.store(on: recovering).recover()
      memory.kill()
      at += 1
      disk = FaultyDisk(memory, .noSpace, at: recovering.calls + at, countsReads: true)
      store = try fixture.store(on: disk)
      _ = try await store.recover()
      let state = try #require(memory.image.find("default", in: DiskImage.stateRoot, durable: false))
      memory.image.move(PositionRecord.fileName, in: state, to: "moved")
      let (page, last, checkpoint) = (try page([events[1]]), store, checkpoint)
      let batch = try await fixture.retrying { () async throws(StoreFailure) in
        try await last.deduplicate(page, readFrom: .oldest)
      }
      _ = try await fixture.retrying { () async throws(StoreFailure) in
        try await last.commit(batch, at: checkpoint)
      }
      struck += disk.hasStruck ? 1 : 0
      #expect(memory.openHandles == ofOpenStream, "\(at)")
      #expect(memory.strayCloses == 0, "\(at)")
    } while disk.hasStruck
    #expect(struck > 10)
  }
}
