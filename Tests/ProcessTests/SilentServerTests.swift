import BoxSimulator
import Glibc
import TestSystem
import Testing

/// Servers that take a request and say nothing, or that can't be reached and don't say so: the daemon gives
/// up by itself, and goes on as soon as they answer again.
@Suite struct SilentServerTests {
  /// With this `retry_timeout` a poll is given up after 12 s; a request's silence is borne for 60 s.
  private static let retryTimeout = Duration.seconds(2)

  @Test(arguments: [Fault.stall, .stallInBody], SimulatedEndpoint.allCases)
  func goesOnAfterSilence(_ fault: Fault, _ endpoint: SimulatedEndpoint) async throws {
    var options = SimulatorOptions()
    options.realtime.retryTimeout = Self.retryTimeout
    try await withPlace(options) { place in
      place.simulator.setFaultRates(endpoint, FaultRates([.init(fault, percent: 100)]))
      let manager = try ServiceManager(path: "\(place.root)/notify")
      let daemon = try place.start(environment: manager.environment)
      try await manager.told("READY")
      place.simulator.produce(5)
      try await place.simulator.wait { $0.faults[endpoint] ?? 0 > 0 }
      place.simulator.setFaultRates(endpoint, FaultRates())
      place.simulator.produce(5)
      try await place.drained(within: .seconds(150))
      try await place.simulator.wait { $0.heldPolls == 1 }
      place.simulator.produce(5)
      try await place.drained()
      #expect(daemon.isRunning)
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole()
    }
  }

  /// Nobody accepts, and the kernel has stopped answering for them: connecting takes for ever.
  @Test func goesOnAfterABlackHole() async throws {
    try await withPlace { place in
      let hole = try BlackHole()
      let body =
        #"{"entries":[{"type":"realtime_server","url":"http://127.0.0.1:\#(hole.port)/subscribe?channel=c","#
        + #""ttl":"10","max_retries":"10","retry_timeout":2}]}"#
      place.simulator.setFaultRates(.options, FaultRates([.init(.body(body), percent: 100)]))
      let daemon = try place.start()
      place.simulator.produce(5)
      try await place.drained()
      try await place.simulator.wait { $0.requests(.options) > 0 }
      // Read again after the poll that never was one.
      let reads = place.simulator.statistics.requests(.events)
      place.simulator.produce(5)
      try await place.drained()
      #expect(place.simulator.statistics.requests(.events) > reads)
      place.simulator.setFaultRates(.options, FaultRates())
      try await place.simulator.wait { $0.heldPolls == 1 }
      place.simulator.produce(5)
      try await place.drained()
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole()
    }
  }
}

/// A port whose queue of connections is full and whose owner accepts none.
private final class BlackHole {
  let port: Int
  private var descriptors: [Int32] = []

  init() throws {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let listener = socket(AF_INET, type, 0)
    descriptors = [listener]
    guard SocketAddress.bind(listener, port: 0) == 0, listen(listener, 0) == 0,
      let port = SocketAddress.port(of: listener)
    else { throw ChildProcess.Failure(call: "listen", errno: errno) }
    self.port = port
    for _ in 1...8 {
      let filler = socket(AF_INET, type, 0)
      descriptors.append(filler)
      _ = SocketAddress.connect(filler, port: port)
    }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
