import Testing

@testable import BoxEvents

/// What Box documents: <https://developer.box.com/reference/get-events/>.
@Suite struct StreamTypeTests {
  @Test(arguments: [
    (StreamType.all, "all", 21, true), (.changes, "changes", 21, true), (.sync, "sync", 31, true),
    (.adminLogsStreaming, "admin_logs_streaming", 14, false), (.adminLogs, "admin_logs", 365, false),
  ])
  func everyTypeHasItsNameItsRetentionAndItsWayToWait(
    type: StreamType, name: String, days: Int, hasRealtimeServer: Bool
  ) {
    #expect(type.rawValue == name)
    #expect(type.retention == .seconds(days * 86_400))
    #expect(type.hasRealtimeServer == hasRealtimeServer)
    let rules = FeedRules(type: type)
    #expect(rules.retention == type.retention)
    #expect(rules.hasRealtimeServer == hasRealtimeServer)
  }

  @Test func coversEveryType() {
    #expect(StreamType.allCases.count == 5)
  }
}
