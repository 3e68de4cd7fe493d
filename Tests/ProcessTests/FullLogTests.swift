import BoxSimulator
import Glibc
import Testing

/// A log that takes no lines: a hung journal, a full pipe.
@Suite struct FullLogTests {
  @Test func aLogThatTakesNoLineHoldsNothingUp() async throws {
    try await withTestEnvironment { fixture in
      let pipe = "\(fixture.root)/log-pipe"
      try #require(mkfifo(pipe, 0o600) == 0)
      let descriptor = open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
      try #require(descriptor >= 0)
      defer { close(descriptor) }
      let block = [UInt8](repeating: UInt8(ascii: "\n"), count: 4096)
      while write(descriptor, block, block.count) > 0 {}
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      fixture.settings.level = "trace"
      fixture.configure()
      fixture.simulator.produce(5)
      let daemon = try fixture.spawn(
        [Executable.path, "run", "--config", fixture.configuration], environment: manager.environment,
        output: "\(fixture.root)/output", errors: pipe)
      try await manager.received("READY")
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }
}
