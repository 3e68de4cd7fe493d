import BoxSimulator
import Testing

@Suite struct FaultTextTests {
  @Test(arguments: [
    ("503", Fault.status(503)), ("429:2", .status(429, headers: ["Retry-After": "2"])), ("reset", .reset),
    ("none", .none), ("lose-answer", .loseAnswer), ("reset-in-body", .resetInBody), ("truncate", .truncate),
    ("truncate-chunks", .truncateChunks), ("truncate-json", .truncateJSON), ("stall", .stall),
    ("stall-in-body", .stallInBody), ("html", .html), ("empty", .body("")), ("expire-token", .expireToken),
    ("broken-gzip", .brokenGzip), ("truncated-gzip", .truncatedGzip), ("message:odd", .message("odd")),
    ("delay:2s", .delayed(.seconds(2))),
    ("delay:500ms:503", .delayed(.milliseconds(500), then: .status(503))),
    ("pause:1s", .pausedBody(.seconds(1))), ("drip:100:10ms", .drip(bytes: 100, every: .milliseconds(10))),
  ])
  func faults(_ text: String, _ fault: Fault) throws {
    #expect(try Fault(text) == fault)
  }

  @Test(arguments: ["", "999", "delay", "delay:2", "drip:0:1s", "drip:5", "resets", "-1"])
  func noFaults(_ text: String) {
    #expect(throws: SimulatorError.self) { try Fault(text) }
  }

  @Test func rates() throws {
    let rates = try FaultRates("429:1=2,stall=0.1")
    #expect(
      rates.percents == [
        .init(.status(429, headers: ["Retry-After": "1"]), percent: 2), .init(.stall, percent: 0.1),
      ])
    #expect(try FaultRates("").percents.isEmpty)
    for text in ["503", "503=x", "503=101", "odd=1"] {
      let error = #expect(throws: SimulatorError.self) { try FaultRates(text) }
      // A fault alone, which a script takes, would be refused again.
      #expect(error?.hint?.contains("503=2, 429:1=2") == true)
    }
  }
}
