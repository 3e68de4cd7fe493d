import BoxSimulator
import Testing

/// Realtime servers that must not be polled: the stream still reads once a minute.
@Suite struct RealtimeServerTests {
  @Test(arguments: [
    "http://evil.example/subscribe?channel=canary-channel",
    "https://evil.example:8443/subscribe?channel=canary-channel",
    "https://user:password@2.realtime.services.box.net/subscribe?channel=canary-channel",
    "https://2.realtime.services.box.net.evil.example/subscribe?channel=canary-channel",
    #"http://127.0.0.1:1/subscribe?channel=canary-channel\nHost: evil"#,
    "ftp://127.0.0.1/subscribe?channel=canary-channel", "//127.0.0.1/subscribe", "",
  ]) func readsWithoutARefusedServer(_ url: String) async throws {
    try await withTestEnvironment { fixture in
      let body =
        #"{"entries":[{"type":"realtime_server","url":"\#(url)","ttl":"10","max_retries":"10","retry_timeout":610}]}"#
      fixture.simulator.setFaultRates(.options, FaultRates([.init(.body(body), percent: 100)]))
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.requests(.options) > 0 }
      try await eventually("the problem in the status") {
        try await fixture.status().streams[0].error?.isEmpty == false
      }
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(fixture.simulator.statistics.requests(.poll) == 0)
      #expect(!fixture.log.contains("canary-channel"))
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }
}
