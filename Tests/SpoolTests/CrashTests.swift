import BoxEvents
import TestDisks
import Testing

@testable import Spool

/// The process or the machine stops at every call, and every event is in the spool once.
struct CrashTests {
  private let box = SimulatedBox(total: 23)

  private func fixture() -> SpoolFixture {
    let fixture = SpoolFixture(memory: ())
    fixture.limits.segmentSize = 700
    return fixture
  }

  /// How many changing calls one run makes.
  private func calls() async throws -> Int {
    let disk = FaultyDisk(MemoryDisk())
    let fixture = fixture()
    try await fixture.drain(box, into: fixture.store(on: disk))
    try fixture.expectIntact(box, on: disk)
    return disk.calls
  }

  @Test(arguments: [FaultyDisk.Fault.diesBefore, .diesAfter, .diesHalfway, .ioError])
  func endsAtEveryCall(_ fault: FaultyDisk.Fault) async throws {
    for call in 1...(try await calls()) {
      let (memory, fixture) = (MemoryDisk(), fixture())
      var failure: StoreFailure?
      do {
        try await fixture.drain(box, into: fixture.store(on: FaultyDisk(memory, fault, at: call)))
      } catch let error as StoreFailure {
        failure = error
      }
      // A process that ends after its last call has nothing left to fail.
      #expect(fault == .diesAfter || failure?.code == .io, "\(fault) at \(call)")
      // What has failed is closed, all but the directories of all streams. What was opened by a call after which the
      // process ended was never handed over.
      if failure != nil, fault != .diesAfter { #expect(memory.openHandles == 2, "\(fault) at \(call)") }
      #expect(memory.strayCloses == 0, "\(fault) at \(call)")
      memory.kill()
      let seen = try fixture.lines(on: memory)
      try await fixture.drain(box, into: fixture.store(on: memory))
      try fixture.expectIntact(box, on: memory, "\(fault) at \(call)")
      // Complete lines that a reader has seen are still there.
      #expect(try fixture.lines(on: memory).starts(with: seen.dropLast()), "\(fault) at \(call)")
    }
  }

  @Test(arguments: [FaultyDisk.Fault.diesBefore, .diesAfter, .diesHalfway])
  func powerCutAtEveryCall(_ fault: FaultyDisk.Fault) async throws {
    for call in 1...(try await calls()) {
      for seed in UInt64(0)..<4 {
        let (memory, fixture) = (MemoryDisk(), fixture())
        _ = try? await fixture.drain(box, into: fixture.store(on: FaultyDisk(memory, fault, at: call)))
        memory.losePower(seed: seed)
        // What `commit` has returned from is there before anything is fetched again.
        let survived = try fixture.lines(on: memory).prefix(fixture.committed)
        #expect(survived.elementsEqual((0..<fixture.committed).map { SimulatedBox.line($0) }))
        try await fixture.drain(box, into: fixture.store(on: memory, boot: "boot-2"))
        try fixture.expectIntact(box, on: memory, "\(fault) at \(call), seed \(seed)")
      }
    }
  }

  /// A failed sync, a restart that has to trust nothing it didn't write again, then a power cut.
  @Test(arguments: [FaultyDisk.Fault.ioError, .noSpaceAtSync])
  func failedSyncThenPowerCut(_ fault: FaultyDisk.Fault) async throws {
    for call in 1...(try await calls()) {
      for seed in UInt64(0)..<4 {
        let (memory, fixture) = (MemoryDisk(), fixture())
        _ = try? await fixture.drain(box, into: fixture.store(on: FaultyDisk(memory, fault, at: call)))
        memory.kill()
        // The next run gets so far, and no farther.
        for further in [3, 9, 15, 30] {
          _ = try? await fixture.drain(
            box, into: fixture.store(on: FaultyDisk(memory, .diesAfter, at: further)))
          memory.kill()
        }
        memory.losePower(seed: seed)
        try await fixture.drain(box, into: fixture.store(on: memory, boot: "boot-2"))
        try fixture.expectIntact(box, on: memory, "sync failed at \(call), seed \(seed)")
      }
    }
  }

  /// Crash after crash, of both kinds, with full disks in between.
  @Test func longDegradedRun() async throws {
    for seed in UInt64(0)..<60 {
      var random = SplitMix64(seed: seed &+ 1000)
      let (memory, fixture) = (MemoryDisk(), fixture())
      var life = SimulatedBox(total: 4)
      for run in 0..<12 {
        life.total += Int.random(in: 0...9, using: &random)
        let fault = FaultyDisk.Fault.allCases.randomElement(using: &random)
        let disk = FaultyDisk(memory, fault, at: Int.random(in: 1...60, using: &random))
        _ = try? await fixture.drain(life, into: fixture.store(on: disk, boot: "boot-\(run / 3)"))
        if run % 3 == 2 { memory.losePower(seed: seed &* 77 &+ UInt64(run)) } else { memory.kill() }
      }
      try await fixture.drain(life, into: fixture.store(on: memory, boot: "boot-9"))
      try fixture.expectIntact(life, on: memory, "seed \(seed)")
    }
  }

  @Test(arguments: [FaultyDisk.Fault.noSpace, .noSpaceAtSync])
  func fullDiskAtEveryCall(_ fault: FaultyDisk.Fault) async throws {
    for call in 1...(try await calls()) {
      let (memory, fixture) = (MemoryDisk(), fixture())
      let disk = FaultyDisk(memory, fault, at: call)
      try await fixture.drain(box, into: fixture.store(on: disk))
      #expect(disk.hasStruck)
      try fixture.expectIntact(box, on: memory, "full at \(call)")
      // What was acknowledged is durable, also what the sync that failed has lost.
      memory.losePower(seed: UInt64(call))
      #expect(try fixture.lines(on: memory).count == box.total, "full at \(call)")
      #expect(try fixture.quarantined(on: memory) == 1, "full at \(call)")
    }
  }

  /// The disk is full and the daemon is killed before space is freed.
  @Test func fullDiskThenKilled() async throws {
    for call in 1...(try await calls()) {
      let (memory, fixture) = (MemoryDisk(), fixture())
      let full = FaultyDisk(memory, .noSpace, at: call)
      let store = try fixture.store(on: full)
      _ = try? await once(fixture, store)
      memory.kill()
      try await fixture.drain(box, into: fixture.store(on: memory))
      try fixture.expectIntact(box, on: memory, "full at \(call)")
    }
  }

  /// As `drain`, but a full disk ends it.
  private func once(_ fixture: SpoolFixture, _ store: StreamSpool) async throws {
    var position = try await store.recover().checkpoint?.position ?? .oldest
    try await store.begin(at: Checkpoint(position: position))
    for _ in 0..<8 {
      let page = try box.page(from: position)
      let batch = try await store.deduplicate(page, readFrom: position)
      fixture.clock.advance(11)
      guard let next = page.nextPosition else { return }
      _ = try await store.commit(batch, at: Checkpoint(position: .at(next)))
      position = .at(next)
    }
  }

  /// The same on the real disk, for a part of the calls.
  @Test(arguments: [FaultyDisk.Fault.diesBefore, .diesAfter, .diesHalfway, .noSpace])
  func onTheLocalDisk(_ fault: FaultyDisk.Fault) async throws {
    for call in stride(from: 1, through: try await calls(), by: 5) {
      let fixture = try SpoolFixture()
      fixture.limits.segmentSize = 700
      let disk = FaultyDisk(LocalDisk(), fault, at: call)
      _ = try? await fixture.drain(box, into: fixture.store(on: disk))
      try await fixture.drain(box, into: fixture.store())
      try fixture.expectIntact(box, "\(fault) at \(call)")
    }
  }
}
