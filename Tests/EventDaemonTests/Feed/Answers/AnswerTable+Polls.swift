import EventDaemon
import ScriptedHTTP

extension AnswerTable {
  /// Answers of a realtime server. Every answer leads to a read, and no answer moves the position.
  static let polls = known + unknown + failures

  private static func reply(_ message: String) -> Reply {
    .answer(200, #"{"version":1,"message":\#(message)}"#)
  }

  /// With the number of calls of OPTIONS in all: one if the same server is polled again.
  private static let known: [AnswerRow] =
    [
      ("new_change", 1), ("new_message", 1), ("out_of_date", 1), ("reconnect", 2), ("max_retries", 2),
    ].flatMap { message, subscriptions in
      [
        AnswerRow("poll, \(message)", .poll, reply("\"\(message)\"")) { $0.subscriptions = subscriptions },
        AnswerRow("poll, \(message) again and again", .poll, times: 3, reply("\"\(message)\"")) {
          $0.subscriptions = subscriptions == 1 ? 1 : 4
          // Reads that bring nothing are spaced.
          $0.state = .waiting
          $0.waits = .seconds(1) ... .seconds(1)
        },
      ]
    } + [
      AnswerRow("poll, no version", .poll, .answer(200, #"{"message":"new_change"}"#)) {
        $0.subscriptions = 1
      },
      AnswerRow("poll, the message escaped", .poll, reply(#""new\u005fchange""#)) { $0.subscriptions = 1 },
      AnswerRow("poll, the message twice: the last counts", .poll, reply(#""x","message":"new_change""#)) {
        $0.subscriptions = 1
      },
      AnswerRow(
        "poll, max_retries as an error", .poll, .answer(429, #"{"code":"max_retries","message":"No more"}"#)
      ) {
        $0.subscriptions = 2
      },
      AnswerRow("poll, out_of_date as an error", .poll, .answer(410, #"{"error":"out_of_date"}"#)) {
        $0.subscriptions = 1
      },
    ]

  private static let unknown: [AnswerRow] = [
    ("an unknown message", #"{"message":"new_weather"}"#, "the message “new_weather”"),
    ("a message in capitals", #"{"message":"NEW_CHANGE"}"#, "the message “NEW_CHANGE”"),
    ("an empty message", #"{"message":""}"#, "an unknown message"),
    ("message null", #"{"message":null}"#, "an answer without a message"),
    ("message a number", #"{"message":7}"#, "an unknown message"),
    ("message an object", #"{"message":{}}"#, "an answer without a message"),
    ("no message", #"{"version":1}"#, "an answer without a message"),
    ("an array", "[]", "an answer without a message"),
    ("a string", #""new_change""#, "an answer without a message"), ("empty", "", "an empty answer"),
    ("HTML", "<html></html>", "an answer that is not JSON"),
    ("truncated", #"{"message":"new_ch"#, "an answer that is not JSON"),
    ("two documents", #"{"message":"new_change"}{}"#, "an answer that is not JSON"),
    ("a comma too many", #"{"message":"new_change",}"#, "an answer that is not JSON"),
    ("a NUL behind", "{\"message\":\"new_change\"}\0", "an answer that is not JSON"),
    ("a long message", #"{"message":"\#(String(repeating: "x", count: 60_000))"}"#, "an unknown message"),
    ("control characters", #"{"message":"a\u001b[2J\n\r\u0000\u202e\u2028b"}"#, "an unknown message"),
    ("the channel", #"{"message":"CANARY-channel"}"#, "an unknown message"),
    ("the URL", #"{"message":"http://x/subscribe?channel=CANARY-channel"}"#, "an unknown message"),
  ].map { name, body, text in
    AnswerRow("poll, \(name)", .poll, .answer(200, body)) {
      $0.reports = "the realtime server answered with \(text)"
      $0.subscriptions = 2
    }
  }

  private static let failures: [AnswerRow] =
    [400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 504].map { status in
      AnswerRow("poll, \(status)", .poll, .answer(status, "<html>CANARY-channel</html>")) {
        $0.reports = "the realtime server answered \(status)"
        $0.subscriptions = 2
      }
    } + [
      AnswerRow("poll, 307 elsewhere", .poll, .answer(307, "", headers: ["Location: $FOREIGN/subscribe"])) {
        $0.reports = "the realtime server answered 307"
        $0.subscriptions = 2
      },
      AnswerRow(
        "poll, 302 to itself", .poll, .answer(302, "", headers: ["Location: $SELF/subscribe?channel=x"])
      ) {
        $0.reports = "the realtime server answered 302"
        $0.subscriptions = 2
      },
      AnswerRow("poll, 204", .poll, Reply(.send("HTTP/1.1 204 No Content\r\n\r\n"))) {
        $0.reports = "the realtime server answered 204"
        $0.subscriptions = 2
      },
      AnswerRow(
        "poll, the channel in an error", .poll, .answer(400, #"{"message":"bad channel CANARY-channel"}"#)
      ) {
        $0.reports = "bad channel <redacted>"
        $0.subscriptions = 2
      },
      AnswerRow("poll, closed", .poll, times: 2, Reply(.close)) {
        $0.reports = "closed the connection"
        $0.subscriptions = 2
      },
      AnswerRow(
        "poll, closed in the answer", .poll,
        Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"), .close)
      ) {
        $0.reports = "closed the connection"
        $0.subscriptions = 2
      },
      AnswerRow("poll, no HTTP", .poll, Reply(.send("new_change\r\n\r\n"), .close)) {
        $0.reports = "sent an answer that is not HTTP"
        $0.subscriptions = 2
      },
      AnswerRow("poll, 70 kB", .poll, .answer(200, String(repeating: " ", count: 70_000))) {
        $0.reports = "the answer of the realtime server is larger than 65536 bytes"
        $0.subscriptions = 2
      },
      AnswerRow("poll, compressed though not asked for", .poll, .gzip(reconnect)) { $0.subscriptions = 2 },
      AnswerRow("poll, compressed, by its old name", .poll, .gzip(reconnect, named: "X-Gzip")) {
        $0.subscriptions = 2
      },
      AnswerRow("poll, damaged compression", .poll, .gzip([0x1F, 0x8B, 8, 0])) {
        $0.reports = "compressed answer"
        $0.subscriptions = 2
      },
    ]

  /// `{"message":"reconnect"}`
  private static let reconnect: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x4D, 0x2D, 0x2E, 0x4E,
    0x4C, 0x4F, 0x55, 0xB2, 0x52, 0x2A, 0x4A, 0x4D, 0xCE, 0xCF, 0xCB, 0x4B, 0x4D, 0x2E, 0x51, 0xAA, 0x05,
    0x00, 0xE6, 0x07, 0x67, 0x81, 0x17, 0x00, 0x00, 0x00,
  ]
}
