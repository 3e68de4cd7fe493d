import BoxSimulator
import Glibc
import Testing

/// Every system call between an event and the disk fails, with every error that matters, during the start and the
/// first commit of the real daemon. `strace` makes the call fail on one file only.
@Suite(.serialized, .enabled(if: Tracer.isAvailable, "strace can't be used here"))
struct DiskFaultTests {
  /// One call on one file, of the segment that is about to begin.
  struct Call: CustomStringConvertible, Sendable {
    var name: String
    /// Relative to the fixture; a single name for calls that take a name in a directory.
    var path: String

    var description: String { "\(name) \(path)" }
    var isSync: Bool { name == "fdatasync" || name == "fsync" }

    static let segment = "events-0000000000000012.ndjson"
    static let all = [
      Call(name: "openat", path: segment), Call(name: "pwrite64", path: "spool/default/\(segment)"),
      Call(name: "fdatasync", path: "spool/default/\(segment)"),
      Call(name: "pwrite64", path: "spool/default/segments.ndjson"),
      Call(name: "fdatasync", path: "spool/default/segments.ndjson"),
      Call(name: "ftruncate", path: "spool/default/segments.ndjson"),
      Call(name: "fsync", path: "spool/default"), Call(name: "fsync", path: "state/default"),
      Call(name: "symlinkat", path: ".current"), Call(name: "renameat", path: ".current"),
      Call(name: "openat", path: ".known_ids"), Call(name: "ftruncate", path: "state/default/.known_ids"),
      Call(name: "pwrite64", path: "state/default/.known_ids"),
      Call(name: "fdatasync", path: "state/default/.known_ids"), Call(name: "renameat", path: ".known_ids"),
      Call(name: "pwrite64", path: "state/default/stream_position"),
      Call(name: "fdatasync", path: "state/default/stream_position"),
    ]

    /// `when` counts the calls of a thread; the stream has one.
    func injection(_ error: String, when: String, root: String) -> [String] {
      Tracer.command("\(name):error=\(error):when=\(when)")
        + ["-P", path.contains("/") ? "\(root)/\(path)" : path]
    }
  }

  /// A disk that failed, or one that the kernel has made read-only because it failed, ends the process; the
  /// unit starts it again.
  @Test(arguments: Call.all) func anErrorEndsTheProcess(_ call: Call) async throws {
    for (name, number) in [("EIO", EIO), ("EROFS", EROFS)] {
      try await withTestEnvironment { fixture in
        try await prepare(fixture)
        let manager = try ServiceManager(path: "\(fixture.root)/notify")
        let daemon = try fixture.start(
          environment: manager.environment, under: call.injection(name, when: "1+", root: fixture.root))
        #expect(try await daemon.ended() == .code(74), "\(call) \(name): \(fixture.lastLines(3))")
        try await manager.received(errno: number)
        try await finish(fixture, try fixture.start(), "\(call) \(name)")
      }
    }
  }

  /// The same process waits until a full disk or quota has free space again. A network file system, or a quota, may
  /// tell only at the sync: then what is on disk is proven anew.
  @Test(arguments: Call.all) func waitsForFreeSpace(_ call: Call) async throws {
    for error in ["ENOSPC", "EDQUOT"] {
      try await withTestEnvironment { fixture in
        try await prepare(fixture)
        let daemon = try fixture.start(under: call.injection(error, when: "1", root: fixture.root))
        try await fixture.logged("stream paused")
        try await finish(fixture, daemon, "\(call) \(error)")
        #expect(fixture.segmentCount() == 2, "\(call) \(error)")
      }
    }
  }

  /// A daemon that is to begin a new segment at its next event, having found half a line in its way.
  private func prepare(_ fixture: TestEnvironment) async throws {
    fixture.settings.spool.append(#"segment_size = "1KiB""#)
    fixture.configure()
    fixture.simulator.produce(12)
    let daemon = try fixture.start()
    try await fixture.drained()
    try await fixture.simulator.wait { $0.heldPolls == 1 }
    try #require(try await daemon.terminated() == .code(0))
    fixture.ageSegments()
    let log = "\(fixture.root)/spool/default/segments.ndjson"
    writeFile(log, readFile(log) + Array(#"{"ordinal":"#.utf8), mode: 0o640)
    fixture.simulator.produce(12)
  }

  private func finish(_ fixture: TestEnvironment, _ daemon: ChildProcess, _ comment: Comment) async throws {
    try await fixture.drained()
    fixture.simulator.produce(5)
    try await fixture.drained()
    #expect(try await daemon.terminated() == .code(0), comment)
    fixture.expectIntact("default", comment)
    #expect(!fixture.log.contains("a gap was recorded"), comment)
    let verified = try await fixture.run("verify", "--config", fixture.configuration)
    #expect(verified.exit == .code(0), "\(comment): \(verified.output)")
  }
}
