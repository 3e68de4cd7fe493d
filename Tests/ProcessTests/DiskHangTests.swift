import BoxSimulator
import Glibc
import Testing

/// A disk that hangs or fails under the running daemon; `strace` injects the faults.
@Suite(.enabled(if: Tracer.isAvailable, "strace can't be used here"))
struct DiskHangTests {
  /// The stage's own limit is 30 s, the watchdog's grace another 30.
  @Test func withholdsPingsWhileASyncHangs() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let environment = manager.environment.merging(["WATCHDOG_USEC": "2000000"]) { $1 }
      fixture.simulator.produce(1)
      let daemon = try fixture.start(environment: environment)
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let tracer = try await Tracer.attach(to: daemon, "fdatasync:delay_enter=300s", in: fixture)
      try await eventually("a sync that hangs") {
        fixture.simulator.produce(1)
        return try await Tracer.isHolding(daemon)
      }

      let before = manager.messages(with: "WATCHDOG").count
      // A slow disk within the limits doesn't stop the pings.
      try await manager.received("WATCHDOG", times: before + 4)
      try await fixture.logged("watchdog ping withheld")
      let last = manager.messages(with: "WATCHDOG").count
      try await Task.sleep(for: .seconds(5))
      #expect(manager.messages(with: "WATCHDOG").count == last)

      daemon.signal(SIGKILL)
      // A traced process ends only after its tracer has noticed.
      try await tracer.killed()
      _ = try await daemon.ended()
      let next = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.expectIntact()
      #expect(try await next.terminated() == .code(0))
    }
  }

  @Test(arguments: ["fdatasync:error=EIO", "pwrite64:error=EIO"])
  func aDiskErrorEndsTheProcessAndLosesNothing(_ injection: String) async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      fixture.simulator.produce(700)
      let daemon = try fixture.start(environment: manager.environment)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      _ = try await Tracer.attach(to: daemon, injection, in: fixture)
      fixture.simulator.produce(30)
      #expect(try await daemon.ended() == .code(74))
      try await manager.received(errno: EIO)

      let next = try fixture.start()
      fixture.simulator.produce(30)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.expectIntact()
      #expect(try await next.terminated() == .code(0))
    }
  }

  @Test func repeatsInterruptedWrites() async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start(under: Tracer.command("pwrite64:error=EINTR:when=1+3"))
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      for _ in 0..<5 {
        fixture.simulator.produce(40)
        try await fixture.drained()
      }
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }
}
