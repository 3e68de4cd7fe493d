import Testing

@testable import BoxEvents

@Suite struct RealtimeServerTests {
  private func server(_ entries: String) throws -> RealtimeServer {
    try RealtimeServer(parsing: Array(#"{"chunk_size":1,"entries":[\#(entries)]}"#.utf8))
  }

  private func server(with members: String) throws -> RealtimeServer {
    try server(#"{"type":"realtime_server","url":"https://a/",\#(members)}"#)
  }

  @Test func minutesAndSecondsBecomeDurations() throws {
    let server = try server(with: #""ttl":"7","max_retries":"3","retry_timeout":600"#)
    #expect(server.url.reveal() == "https://a/")
    #expect(server.timeToLive == .seconds(420))
    #expect(server.maximumPolls == 3)
    #expect(server.retryTimeout == .seconds(600))
  }

  @Test(arguments: ["1", "60"])
  func theBordersOfTheTimeToLive(minutes: String) throws {
    #expect(try server(with: #""ttl":\#(minutes)"#).timeToLive == .seconds(60 * (Int(minutes) ?? 0)))
  }

  @Test(arguments: ["1", "1000"])
  func theBordersOfThePolls(polls: String) throws {
    #expect(try server(with: #""max_retries":\#(polls)"#).maximumPolls == Int(polls))
  }

  @Test(arguments: ["1", "1200"])
  func theBordersOfTheTimeout(seconds: String) throws {
    #expect(try server(with: #""retry_timeout":\#(seconds)"#).retryTimeout == .seconds(Int(seconds) ?? 0))
  }

  @Test(arguments: [
    "0", "-1", "1000000000000", "99999999999999999999999", "\"\"", "\"ten\"", "1.5", "null", "[]", "{}",
    "true",
  ])
  func anyOtherNumberTakesTheDefault(value: String) throws {
    let server = try server(with: #""ttl":\#(value),"max_retries":\#(value),"retry_timeout":\#(value)"#)
    #expect(server.timeToLive == .seconds(600))
    #expect(server.maximumPolls == 10)
    #expect(server.retryTimeout == .seconds(610))
  }

  @Test(arguments: [("61", "1001", "1201")])
  func oneTooManyTakesTheDefault(minutes: String, polls: String, seconds: String) throws {
    let server = try server(with: #""ttl":\#(minutes),"max_retries":\#(polls),"retry_timeout":\#(seconds)"#)
    #expect(server == RealtimeServer(url: Secret("https://a/")))
  }

  @Test func skipsOtherEntriesAndMissingURLs() throws {
    let server = try server(
      """
      {"type":"file","url":"https://wrong/"},{"url":"https://wrong/"},{"type":"realtime_server","url":""},
      {"type":"realtime_server"},{"type":"realtime_server","url":"https://right/"},
      {"type":"realtime_server","url":"https://later/"}
      """)
    #expect(server.url.reveal() == "https://right/")
  }

  @Test(arguments: [
    "", #"{"type":"file","url":"https://a/"}"#, #"{"type":"realtime_server","url":""}"#,
    #"{"type":"realtime_server"}"#,
    #"{"type":"realtime_server","url":null}"#, "null", "17",
  ])
  func withoutAServerItIsUnreadable(entries: String) {
    let failure = #expect(throws: FeedFailure.self) { try server(entries) }
    #expect(failure?.code == .unreadable)
  }

  @Test(arguments: ["", "<html></html>", "[]", "{}", #"{"entries":null}"#, #"{"entries":{}}"#])
  func anyOtherAnswerIsUnreadable(body: String) {
    let failure = #expect(throws: FeedFailure.self) { try RealtimeServer(parsing: Array(body.utf8)) }
    #expect(failure?.code == .unreadable)
  }
}
