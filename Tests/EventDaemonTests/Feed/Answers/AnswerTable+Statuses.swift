import EventDaemon
import ScriptedHTTP

extension AnswerTable {
  /// Everything but 200, and what comes with it.
  static let statuses = refusals + sideways + retryAfter

  private static let error =
    #"{"type":"error","status":STATUS,"code":"some_code","message":"Some \u001b[31mmessage\u202e","request_id":"r-1"}"#

  private static func error(_ status: Int) -> String { error.replacing("STATUS", with: "\(status)") }

  private static let refusals: [AnswerRow] =
    [
      // A single 401 only renews the token.
      AnswerRow("401, empty, once", .read, .answer(401)),
      AnswerRow(
        "401, empty, twice", .read, times: 2,
        .answer(401, "", headers: [#"WWW-Authenticate: Bearer realm="Service", error="invalid_token""#])
      ) { $0.isRefused("Box answered 401: the access token is refused") },
      AnswerRow("401, JSON", .read, times: 2, .answer(401, error(401))) {
        $0.isRefused("Box answered 401 (some_code): Some ")
      },
      AnswerRow("401, again and again", .read, times: 6, .answer(401)) {
        $0.isRefused("Box answered 401", in: .blocked)
        $0.waits = .seconds(900) ... .seconds(900)
      },
      AnswerRow("403, once", .read, .answer(403, error(403))) {
        $0.isRefused("Box answered 403 (some_code)")
      },
      AnswerRow("403, again and again", .read, times: 5, .answer(403, error(403))) {
        $0.isRefused("Box answered 403 (some_code)", in: .blocked)
      },
      AnswerRow(
        "400, malformed position", .read,
        .answer(400, #"{"type":"error","status":400,"code":"invalid_parameter","message":"malformed"}"#)
      ) { $0.isRefused("Box answered 400 (invalid_parameter): malformed") },
      AnswerRow("400, again and again", .read, times: 5, .answer(400)) {
        $0.isRefused("Box answered 400", in: .blocked)
      },
      AnswerRow("429, without Retry-After", .read, .answer(429)) {
        $0.isRefused("Box answered 429")
        $0.waits = .milliseconds(100) ... .seconds(1)
      },
      AnswerRow("500, a token in it", .read, .answer(500, #"{"message":"bad CANARY-token-1"}"#)) {
        $0.isRefused("Box answered 500: bad <redacted>")
      },
      AnswerRow("502, HTML", .read, .answer(502, "<html>Bad gateway</html>")) {
        $0.isRefused("Box answered 502")
      },
      AnswerRow("503, many times", .read, times: 12, .answer(503)) { $0.isRefused("Box answered 503") },
      AnswerRow(
        "500, 300 kB of JSON", .read,
        .answer(500, #"{"message":"\#(String(repeating: "é", count: 150_000))"}"#)
      ) {
        $0.isRefused("Box answered 500")
      },
      AnswerRow(
        "500, a message that is no text", .read, .answer(500, #"{"code":{},"message":[1],"request_id":7}"#)
      ) {
        $0.isRefused("Box answered 500")
      },
      AnswerRow("500, truncated JSON", .read, .answer(500, #"{"code":"x","message":"y"#)) {
        $0.isRefused("Box answered 500")
      },
      AnswerRow(
        "500, control characters in a header", .read,
        .answer(500, "", headers: ["box-request-id: a\u{1B}[2J"])
      ) {
        $0.isRefused("")
      },
    ]
    + [404, 405, 409, 410, 412, 415, 418, 422, 451, 500, 501, 504, 507, 520, 599].map { status in
      AnswerRow(
        "\(status), \(status % 2 == 0 ? "JSON" : "nothing")", .read,
        .answer(status, status % 2 == 0 ? error(status) : "")
      ) {
        $0.isRefused("Box answered \(status)")
      }
    }

  /// A connection to `$FOREIGN` would fail the row.
  private static let sideways: [AnswerRow] =
    [301, 302, 303, 307, 308].flatMap { status in
      ["$SELF/2.0/events?stream_position=0", "$FOREIGN/2.0/events", "//evil.example/", "javascript:alert(1)"]
        .map {
          location in
          AnswerRow(
            "\(status) to \(location)", .read, .answer(status, "", headers: ["Location: \(location)"])
          ) {
            $0.isRefused("Box answered \(status). Redirects are not followed")
          }
        }
    } + [
      AnswerRow("300", .read, .answer(300)) { $0.isRefused("Box answered 300") },
      AnswerRow("304", .read, Reply(.send("HTTP/1.1 304 Not Modified\r\n\r\n"))) {
        $0.isRefused("Box answered 304")
      },
      AnswerRow("201 with a page", .read, .answer(201, #"{"entries":[\#(AnswerRow.event)]}"#)) {
        $0.isRefused("Box answered 201")
      },
      AnswerRow("204", .read, Reply(.send("HTTP/1.1 204 No Content\r\n\r\n"))) {
        $0.isRefused("Box answered 204")
      },
      AnswerRow("206 with half a page", .read, .answer(206, #"{"entries":["#)) {
        $0.isRefused("Box answered 206")
      },
      AnswerRow("999", .read, .answer(999)) { $0.isRefused("Box answered 999") },
    ]

  // MARK: Retry-After

  private static let retryAfter: [AnswerRow] =
    [
      ("7", 7), ("3600", 3600), ("3601", 3600), ("1000000000000", 3600),
      (String(repeating: "9", count: 60), 3600), (" 7", 7), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
      ("Sunday, 06-Nov-94 08:50:37 GMT", 60), ("Sun Nov  6 08:50:37 1994", 60),
      ("Sun, 06 Nov 2094 08:49:37 GMT", 3600), ("7\r\nRetry-After: 50", 7), ("007", 7),
    ].map { text, seconds in
      throttled(text) { $0.waits = .seconds(seconds) ... .seconds(seconds) }
    }
    + [
      "0", "-7", "7.5", "1e3", "soon", "", "0x10", "7 seconds", "7, 8", "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1993 08:49:37 GMT", "Sun, 31 Feb 2094 08:49:37 GMT", "Sun, 06 Nov 1994", "١٢",
    ].map { text in
      // The value is ignored: the stream's own back-off counts.
      throttled(text) { $0.waits = .milliseconds(100) ... .seconds(1) }
    }

  private static func throttled(_ text: String, _ adjust: (inout AnswerRow) -> Void) -> AnswerRow {
    AnswerRow(
      "429, Retry-After: \(text.debugDescription)", .read,
      .answer(429, "", headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: \(text)"])
    ) {
      $0.isRefused("Box answered 429")
      adjust(&$0)
    }
  }
}
