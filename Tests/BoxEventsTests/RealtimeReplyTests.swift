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

  @Test func showsUnknownWordsAlone() {
    #expect(RealtimeReply(message: "new_weather") == .unknown("the message “new_weather”"))
    for text in [
      "", String(repeating: "x", count: 33), "e9de49a73f0c93a872d7", "https://box.com/subscribe?channel=x",
      "bad channel abc", "a\u{1B}b", "nëw",
    ] {
      #expect(RealtimeReply(message: text) == .unknown("an unknown message"))
    }
  }

  @Test func hidesSecretsThatLookLikeWords() {
    let reply = RealtimeReply(
      parsing: Array(#"{"message":"bad-channel-abcdef"}"#.utf8), hiding: [Secret("abcdef")])
    #expect(reply == .unknown("an unknown message"))
  }
}
