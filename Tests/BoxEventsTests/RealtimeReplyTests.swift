import Testing

@testable import BoxEvents

@Suite struct RealtimeReplyTests {
  private func reply(_ body: String) -> RealtimeReply { RealtimeReply(parsing: Array(body.utf8)) }

  @Test(arguments: [
    ("new_change", RealtimeReply.newChange), ("new_message", .newChange), ("reconnect", .reconnect),
    ("max_retries", .maxRetries), ("out_of_date", .outOfDate),
  ])
  func everyMessageHasItsMeaning(message: String, meaning: RealtimeReply) {
    #expect(reply(#"{"version":1,"message":"\#(message)"}"#) == meaning)
    #expect(RealtimeReply(message: message) == meaning)
  }

  @Test(arguments: [
    "", " ", "<html>new_change</html>", "{}", #"{"message":null}"#, #"{"message":""}"#,
    #"{"message":"New_Change"}"#,
    #"{"message":"new_change "}"#, #"["new_change"]"#, "\"new_change\"", #"{"message":"new_change"} x"#,
  ])
  func anythingElseIsUnknown(body: String) {
    guard case .unknown = reply(body) else {
      Issue.record("\(reply(body))")
      return
    }
  }

  @Test func cutsALongMessage() {
    #expect(
      RealtimeReply(message: String(repeating: "x", count: 10_000))
        == .unknown(
          "the message “\(String(repeating: "x", count: 64))”"))
  }
}
