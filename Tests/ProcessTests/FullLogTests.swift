import BoxSimulator
import Glibc
import Testing

/// A log that takes no lines: a hung journal, a full pipe.
@Suite struct FullLogTests {
  @Test func anErrorThatCanNotBeWrittenDoesNotKeepTheProcess() async throws {
    try await withTestEnvironment { fixture in
      let pipe = try FullPipe("\(fixture.root)/log-pipe")
      fixture.settings.spool.append(#"segment_sice = "1MiB""#)
      fixture.configure()
      let daemon = try fixture.spawn(
        [Executable.path, "run", "--config", fixture.configuration], output: "\(fixture.root)/output",
        errors: pipe.path)
      #expect(try await daemon.ended(within: .seconds(60)) == .code(78))
      withExtendedLifetime(pipe) {}
    }
  }

  @Test func aLogThatTakesNoLineHoldsNothingUp() async throws {
    try await withTestEnvironment { fixture in
      let pipe = try FullPipe("\(fixture.root)/log-pipe")
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      fixture.settings.level = "trace"
      fixture.configure()
      fixture.simulator.produce(5)
      let daemon = try fixture.spawn(
        [Executable.path, "run", "--config", fixture.configuration], environment: manager.environment,
        output: "\(fixture.root)/output", errors: pipe.path)
      try await manager.received("READY")
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      withExtendedLifetime(pipe) {}
    }
  }
}

/// A named pipe that is full, and that is not read.
private final class FullPipe {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    try #require(mkfifo(path, 0o600) == 0)
    descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    try #require(descriptor >= 0)
    let block = [UInt8](repeating: UInt8(ascii: "\n"), count: 4096)
    while write(descriptor, block, block.count) > 0 {}
  }

  deinit { close(descriptor) }
}
