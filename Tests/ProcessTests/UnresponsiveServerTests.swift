import BoxSimulator
import Glibc
import TestSystem
import Testing

/// Servers that accept a request and never answer, or drop every packet: the daemon ends the call at its time limit,
/// and continues as soon as they answer again.
@Suite struct UnresponsiveServerTests {
  /// With this `retry_timeout` a poll ends after 12 s; a request may take 60 s.
  private static let retryTimeout = Duration.seconds(2)

  @Test(arguments: [Fault.stall, .stallInBody], SimulatedEndpoint.allCases)
  func continuesAfterAServerStopsAnswering(_ fault: Fault, _ endpoint: SimulatedEndpoint) async throws {
    var options = SimulatorOptions()
    options.realtime.retryTimeout = Self.retryTimeout
    try await withTestEnvironment(options) { fixture in
      fixture.simulator.setFaultRates(endpoint, FaultRates([.init(fault, percent: 100)]))
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      try await manager.received("READY")
      fixture.simulator.produce(5)
      try await fixture.simulator.wait { $0.faults[endpoint] ?? 0 > 0 }
      fixture.simulator.setFaultRates(endpoint, FaultRates())
      fixture.simulator.produce(5)
      try await fixture.drained(within: .seconds(150))
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(daemon.isRunning)
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  /// The server accepts no connection, and the kernel drops new ones: connecting never ends.
  @Test func continuesAfterPacketsAreDropped() async throws {
    try await withTestEnvironment { fixture in
      let hole = try DeadPort(.ignoring)
      let body =
        #"{"entries":[{"type":"realtime_server","url":"http://127.0.0.1:\#(hole.port)/subscribe?channel=c","#
        + #""ttl":"10","max_retries":"10","retry_timeout":2}]}"#
      fixture.simulator.setFaultRates(.options, FaultRates([.init(.body(body), percent: 100)]))
      let daemon = try fixture.start()
      fixture.simulator.produce(5)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.requests(.options) > 0 }
      // Read again after the failed poll.
      let reads = fixture.simulator.statistics.requests(.events)
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(fixture.simulator.statistics.requests(.events) > reads)
      fixture.simulator.setFaultRates(.options, FaultRates())
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      withExtendedLifetime(hole) {}
    }
  }

  /// A server that can't be reached, or never answers: SIGTERM doesn't wait for it. Connecting may take 30 s, an
  /// answer 60 s.
  @Test(arguments: [DeadPort.Kind.ignoring, .silent], ["token_url", "api_url", "proxy"])
  func stopsWithoutWaitingForTheNetwork(_ kind: DeadPort.Kind, _ key: String) async throws {
    try await withTestEnvironment { fixture in
      let dead = try DeadPort(kind)
      if key == "proxy" {
        fixture.settings.box = [
          #"api_url = "https://api.example.com/2.0""#, #"token_url = "https://api.example.com/oauth2/token""#,
          #"proxy = "http://127.0.0.1:\#(dead.port)""#,
        ]
      } else {
        fixture.settings.box.removeAll { $0.hasPrefix(key) }
        fixture.settings.box.append("\(key) = \"https://127.0.0.1:\(dead.port)/2.0\"")
      }
      fixture.configure()
      let daemon = try fixture.start()
      try await fixture.logged("started")
      if key == "api_url" { try await fixture.simulator.wait { $0.requests(.token) > 0 } }
      try await Task.sleep(for: .seconds(1))
      daemon.signal(SIGTERM)
      #expect(try await daemon.ended(within: .seconds(20)) == .code(0))
      withExtendedLifetime(dead) {}
    }
  }
}
