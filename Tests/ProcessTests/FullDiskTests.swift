import BoxSimulator
import Glibc
import Testing

/// A real file system that is full several times during one process.
@Suite struct FullDiskTests {
  /// Whether this test may mount; as another user than root it can't.
  static let canMount: Bool = {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let path = "\(folder)/box-eventd-mount-\(getpid())"
    mkdir(path, 0o700)
    defer { rmdir(path) }
    guard mount("none", path, "tmpfs", 0, "size=64k") == 0 else {
      print("SKIPPED: a full disk needs root and the right to mount a tmpfs")
      return false
    }
    umount2(path, Int32(MNT_DETACH))
    return true
  }()

  /// Filled and freed repeatedly in one process. With a reserve to keep free, the daemon stops before the disk
  /// is full; without one it meets ENOSPC in the middle of a page.
  @Test(.enabled(if: canMount, "a tmpfs can't be mounted here"), arguments: [("0", 50), ("256KiB", 10)])
  func pausesAndResumes(_ keepFree: String, rounds: Int) async throws {
    try await withTestEnvironment { fixture in
      let volume = "\(fixture.root)/volume"
      mkdir(volume, 0o755)
      try #require(mount("none", volume, "tmpfs", 0, "size=16m,mode=755") == 0)
      defer { umount2(volume, Int32(MNT_DETACH)) }
      symlink("\(volume)/spool", "\(fixture.root)/spool")
      fixture.settings.spool = [
        #"directory = "\#(volume)/spool""#, #"segment_size = "1KiB""#, #"keep_free = "\#(keepFree)""#,
      ]
      fixture.configure()
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      fixture.simulator.produce(20)
      try await fixture.drained()

      for round in 1...rounds {
        try await fixture.simulator.wait { $0.heldPolls == 1 }
        fill(volume)
        let sequence = try await fixture.position()
        let (lines, notes) = (fixture.pauses, manager.messages.count)
        fixture.simulator.produce(round % 10 == 0 ? 300 : 40)
        try await eventually("a pause in round \(round): \(fixture.lastLines(3))") { fixture.pauses > lines }
        if round % 10 == 0 {
          let stream = try await fixture.status().streams[0]
          #expect(stream.state == "paused")
          #expect(stream.error?.contains("Free some space") == true)
          try await eventually("the pause in STATUS=") {
            manager.messages.dropFirst(notes).contains { $0["STATUS"]?.contains("paused") == true }
          }
        }
        #expect(try await fixture.position() == sequence, "round \(round)")
        #expect(daemon.isRunning)
        unlink("\(volume)/filler")
        try await fixture.drained()
        fixture.expectIntact("default", "round \(round)")
        #expect(fixture.pauses == lines + 1, "round \(round): said once")
      }
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await fixture.status().streams[0].state == "polling")
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      #expect(manager.messages(with: "READY").count == 1)
      #expect(!fixture.log.contains("a gap was recorded"))
      let verified = try await fixture.run("verify", "--config", fixture.configuration)
      #expect(verified.exit == .code(0), "\(verified.output)")
    }
  }

  /// Where the state has a disk of its own, the pause names the full one, once.
  @Test(.enabled(if: canMount, "a tmpfs can't be mounted here")) func namesTheFullDiskOfTheState()
    async throws
  {
    try await withTestEnvironment { fixture in
      let volume = "\(fixture.root)/volume"
      mkdir(volume, 0o755)
      try #require(mount("none", volume, "tmpfs", 0, "size=256k,mode=755") == 0)
      defer { umount2(volume, Int32(MNT_DETACH)) }
      fixture.settings.state = "\(volume)/state"
      fixture.settings.spool.append(#"segment_size = "1KiB""#)
      fixture.configure()
      fixture.simulator.produce(20)
      let first = try fixture.start()
      try await fixture.drained()
      #expect(try await first.terminated() == .code(0))

      // The next event begins a segment, and the known ids no longer fit on the disk.
      fixture.ageSegments()
      fixture.simulator.produce(20)
      fill(volume)
      let second = try fixture.start()
      try await fixture.logged("stream paused")
      // Until the daemon has checked the disk a few times.
      try await Task.sleep(for: .seconds(5))
      try await eventually("the full disk in the status") {
        try await fixture.status().streams[0].error?.contains("\(volume)/state/default/.known_ids") == true
      }
      #expect(fixture.pauses == 1 && fixture.log.contains("\(volume)/state/default/.known_ids"))
      #expect(second.isRunning)
      unlink("\(volume)/filler")
      try await fixture.drained()
      #expect(try await second.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  /// Killed while the disk is full, with half a page written.
  @Test(.enabled(if: canMount, "a tmpfs can't be mounted here")) func survivesAKillWhileFull() async throws {
    try await withTestEnvironment { fixture in
      let volume = "\(fixture.root)/volume"
      mkdir(volume, 0o755)
      try #require(mount("none", volume, "tmpfs", 0, "size=4m,mode=755") == 0)
      defer { umount2(volume, Int32(MNT_DETACH)) }
      symlink("\(volume)/spool", "\(fixture.root)/spool")
      fixture.settings.spool = [#"directory = "\#(volume)/spool""#, #"keep_free = "0""#]
      fixture.configure()
      var daemon = try fixture.start()
      fixture.simulator.produce(20)
      try await fixture.drained()
      for _ in 1...4 {
        try await fixture.simulator.wait { $0.heldPolls == 1 }
        fill(volume, leaving: 100_000)
        let size = fixture.spoolSize()
        fixture.simulator.produce(300)
        try await eventually("the last byte of the disk") { fixture.spoolSize() > size + 50_000 }
        try await daemon.killed()
        // Started on the full disk, it waits as well.
        daemon = try fixture.start()
        try await fixture.logged("stream paused")
        unlink("\(volume)/filler")
        try await fixture.drained()
        fixture.expectIntact()
      }
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// Fills the volume but for these bytes.
  private func fill(_ volume: String, leaving free: Int = 0) {
    let descriptor = open("\(volume)/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    var status = statvfs()
    statvfs(volume, &status)
    var rest = Int(status.f_bavail) * Int(status.f_bsize) - free
    let block = [UInt8](repeating: 0, count: 4096)
    while rest >= block.count, write(descriptor, block, block.count) == block.count { rest -= block.count }
  }
}

extension TestEnvironment {
  /// How many pauses the log holds.
  fileprivate var pauses: Int { log.split(separator: "\n").count { $0.contains("stream paused") } }

  /// The output of `position show`; it fails unless the position file is intact.
  fileprivate func position() async throws -> String {
    let shown = try await run("position", "show", "default", "--config", configuration)
    #expect(shown.exit == .code(0), "\(shown.errors)")
    return shown.output
  }
}
