import BoxSimulator
import Testing

/// Any text of Box becomes one line of harmless text in the log.
@Suite struct LogInjectionTests {
  private static let evil =
    #"\u001b[2J\u001b]0;title\u0007\n2026-01-01T00:00:00Z critical forged line\r\u202e\u2066\u200f\u0085\u2028\u009b1m\u0000"#

  @Test func escapesControlAndBidirectionalCharacters() async throws {
    var options = SimulatorOptions()
    options.realtime.hold = .seconds(1)
    try await withTestEnvironment(options) { fixture in
      let evil = Self.evil
      let error =
        #"{"type":"error","status":400,"code":"c\#(evil)","message":"m\#(evil)","request_id":"r\#(evil)"}"#
      let refusal = #"{"error":"e\#(evil)","error_description":"d\#(evil)"}"#
      fixture.settings.level = "trace"
      fixture.configure()
      fixture.simulator.script(.token, [.status(503, body: refusal)])
      fixture.simulator.script(.events, [.status(400, body: error), .status(500, body: error)])
      fixture.simulator.script(.options, [.status(500, body: error)])
      fixture.simulator.script(
        .poll, [.body(#"{"version":1,"message":"m\#(evil)"}"#), .status(400, body: error)])
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      try await eventually("the faults to be played") { fixture.simulator.scripted(.poll) == 0 }
      let status = try await fixture.run("status", "--config", fixture.configuration).output
      #expect(try await daemon.terminated() == .code(0))

      #expect(fixture.log.contains("[2J"), "nothing of it was logged, so nothing was tested")
      expectHarmless(fixture.log)
      expectHarmless(status)
      for line in fixture.log.split(separator: "\n") {
        #expect(line.prefix(2) == "20" && !line.hasPrefix("2026-01-01T"), "\(line)")
      }
    }
  }

  private func expectHarmless(_ text: String) {
    for scalar in text.unicodeScalars where scalar != "\n" {
      let isHarmful =
        scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        || [.lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
      if isHarmful {
        Issue.record("U+\(String(scalar.value, radix: 16)) in the output")
        return
      }
    }
  }
}
