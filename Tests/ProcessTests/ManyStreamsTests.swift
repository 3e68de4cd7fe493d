import BoxSimulator
import Glibc
import Testing

/// A thousand streams in one process.
@Suite struct ManyStreamsTests {
  /// Also where the process starts with systemd's soft limit of 1,024 descriptors.
  @Test func allPollAtOnceAndAllReceiveAnEvent() async throws {
    let count = 1000
    var options = SimulatorOptions()
    options.feed = .exact
    try await withTestEnvironment(options) { fixture in
      var limits = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
      try #require(limits.rlim_cur >= 4096, "this test needs 4,096 descriptors of its own")
      fixture.settings.streams = (0..<count).map { .init(name: "stream-\($0)") }
      fixture.configure()
      let daemon = try fixture.start(under: ["/bin/sh", "-c", "ulimit -S -n 1024; exec \"$@\"", "sh"])
      try await eventually(
        "\(count) polls, got \(fixture.simulator.statistics.heldPolls): \(fixture.lastLines(3))"
      ) {
        fixture.simulator.statistics.heldPolls == count || !daemon.isRunning
      }
      #expect(daemon.isRunning, "\(fixture.lastLines(3))")
      let quiet = daemon.statusField("VmRSS") ?? ""
      fixture.simulator.produce(1)
      let event = fixture.ledger()
      for stream in 0..<count {
        try await eventually("the event in stream \(stream)") {
          fixture.spoolSize("stream-\(stream)") >= event.count
        }
        #expect(fixture.spool("stream-\(stream)") == event)
      }
      print(
        "\(count) streams: \(quiet) resident while quiet, \(daemon.statusField("VmRSS") ?? "") after an "
          + "event each, \(daemon.descriptorCount) descriptors")
      // A connection each; only the streams that wrote last have files open.
      #expect(daemon.descriptorCount < count + 400)
      #expect(try await daemon.terminated() == .code(0))
    }
  }
}
