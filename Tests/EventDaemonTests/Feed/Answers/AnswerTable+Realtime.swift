import ScriptedHTTP

extension AnswerTable {
  /// Answers to OPTIONS.
  static let subscriptions = numbers + servers + options

  /// Numbers out of range take their default.
  private static let numbers: [AnswerRow] =
    [
      ("3", 3), (#""3""#, 3), ("1", 1), ("0", 10), ("-1", 10), ("1000000000000", 10), (#""many""#, 10),
      ("null", 10),
      ("2.5", 10), ("true", 10), ("[]", 10), (#""""#, 10), ("1e2", 10), ("99999999999999999999999", 10),
    ].map { text, polls in
      AnswerRow(
        "max_retries \(text)", .subscribe,
        AnswerRow.server(AnswerRow.realtimeURL, #","max_retries":\#(text)"#)
      ) {
        $0.polls = polls
        $0.subscriptions = 2
      }
    }
    + [
      ("60", 60), (#""60""#, 60), ("1200", 1200), ("0", 610), ("-5", 610), ("1000000000", 610),
      (#""soon""#, 610),
      ("null", 610), ("1201", 610), ("0.5", 610),
    ].map { text, seconds in
      AnswerRow(
        "retry_timeout \(text)", .subscribe,
        AnswerRow.server(AnswerRow.realtimeURL, #","retry_timeout":\#(text)"#)
      ) {
        $0.pollTimeout = .seconds(seconds)
      }
    }
    // A server is used for `ttl` minutes; each poll takes one.
    + [
      ("3", 3), (#""3""#, 3), ("0", 10), ("-1", 10), ("1000000000", 10), (#""long""#, 10), ("null", 10),
      ("60", 60),
      ("61", 10),
    ].map { text, minutes in
      AnswerRow(
        "ttl \(text)", .subscribe,
        AnswerRow.server(AnswerRow.realtimeURL, #","max_retries":1000,"ttl":\#(text)"#)
      ) {
        $0.polls = minutes
        $0.pollLasts = .seconds(60)
        $0.subscriptions = 2
      }
    }

  private static let unnamed = "the answer to OPTIONS is missing a realtime server"
  private static let good = #"{"type":"realtime_server","url":"\#(AnswerRow.realtimeURL)"}"#

  private static let servers: [AnswerRow] = [
    AnswerRow("numbers absent", .subscribe, AnswerRow.server(AnswerRow.realtimeURL)) {
      $0.polls = 10
      $0.subscriptions = 2
      $0.pollTimeout = .seconds(610)
    },
    AnswerRow(
      "another server first", .subscribe, AnswerRow.servers(#"{"type":"other","url":"$FOREIGN/"},\#(good)"#)
    ) {
      $0.subscriptions = 1
    },
    AnswerRow(
      "several servers: the first", .subscribe,
      AnswerRow.servers(#"\#(good),{"type":"realtime_server","url":"$FOREIGN/"}"#)
    ) {
      $0.subscriptions = 1
    },
    AnswerRow(
      "odd entries before it", .subscribe,
      AnswerRow.servers(#"null,17,"x",[],{"type":"realtime_server"},\#(good)"#)
    ) {
      $0.subscriptions = 1
    },
    AnswerRow(
      "an empty URL before it", .subscribe,
      AnswerRow.servers(#"{"type":"realtime_server","url":""},\#(good)"#)
    ) {
      $0.subscriptions = 1
    },
  ]

  private static let options: [AnswerRow] =
    [
      ("entries empty", #"{"entries":[]}"#), ("entries null", #"{"entries":null}"#), ("entries absent", "{}"),
      ("entries no list", #"{"entries":{"type":"realtime_server","url":"$SELF/"}}"#),
      ("HTML", "<html></html>"),
      ("empty", ""), ("truncated", #"{"entries":[{"type":"realtime_server","url":"http"#), ("an array", "[]"),
      ("no realtime server", #"{"entries":[{"type":"other","url":"$SELF/"}]}"#),
      ("no URL", #"{"entries":[{"type":"realtime_server"}]}"#),
      ("an empty URL", #"{"entries":[{"type":"realtime_server","url":""}]}"#),
      ("a URL that is no text", #"{"entries":[{"type":"realtime_server","url":["x"]}]}"#),
      ("nested 10,000 deep", #"{"entries":\#(nested(10_000))}"#),
    ].map { name, body in
      AnswerRow("OPTIONS, \(name)", .subscribe, .answer(200, body)) {
        $0.isRefused(unnamed)
        $0.subscriptions = 2
      }
    } + [
      AnswerRow("OPTIONS, 70 kB", .subscribe, .answer(200, String(repeating: " ", count: 70_000))) {
        $0.isRefused("the answer to OPTIONS is larger than 65536 bytes")
      },
      AnswerRow("OPTIONS, closed", .subscribe, times: 2, Reply(.close)) {
        $0.isRefused("closed the connection")
      },
      AnswerRow("OPTIONS, 401 once", .subscribe, .answer(401)) { $0.subscriptions = 2 },
      AnswerRow("OPTIONS, 307 elsewhere", .subscribe, .answer(307, "", headers: ["Location: $FOREIGN/"])) {
        $0.isRefused("Box answered 307")
      },
      AnswerRow("OPTIONS, 429", .subscribe, .answer(429, "", headers: ["Retry-After: 30"])) {
        $0.isRefused("Box answered 429")
        $0.waits = .seconds(30) ... .seconds(60)
      },
    ]
    + [400, 403, 404, 405, 500, 501, 503].map { status in
      AnswerRow("OPTIONS, \(status)", .subscribe, .answer(status, "<html>")) {
        $0.isRefused("Box answered \(status)")
      }
    }

  // MARK: URLs

  /// URLs to which nothing may be sent.
  static let realtimeURLs: [AnswerRow] =
    foreignURLs.map { url in
      AnswerRow("realtime URL \(url.prefix(70))", .subscribe, AnswerRow.server(url)) {
        $0.isRefused("is not among the allowed hosts")
        $0.logs = "realtime server refused"
      }
    }
    + invalidURLs.map { url in
      AnswerRow("realtime URL \(url.prefix(70))", .subscribe, AnswerRow.server(url)) {
        $0.isRefused("Box named a realtime server by an invalid URL")
        $0.logs = "realtime server refused"
      }
    } + [
      AnswerRow(
        "realtime URL with a fragment", .subscribe, AnswerRow.server("$SELF/subscribe?channel=CANARY#x")),
      AnswerRow("realtime URL without a query", .subscribe, AnswerRow.server("$SELF/subscribe")),
      AnswerRow("realtime URL with an empty query", .subscribe, AnswerRow.server("$SELF/subscribe?")),
      AnswerRow(
        "realtime URL, its slashes escaped", .subscribe, AnswerRow.server(#"$SELF\/subscribe?channel=CANARY"#)
      ),
      AnswerRow(
        "realtime URL on a closed port", .subscribe,
        AnswerRow.server("http://127.0.0.1:1/subscribe?channel=CANARY")
      ) {
        $0.reports = "cannot connect to 127.0.0.1"
        $0.subscriptions = 2
      },
    ]

  private static let foreignURLs = [
    "http://evil.example/subscribe?channel=CANARY", "https://evil.example/subscribe?channel=CANARY",
    "https://services.box.net.evil.com/?channel=CANARY", "https://evilservices.box.net/?channel=CANARY",
    "https://box.com/?channel=CANARY", "https://box.com.evil.example/?channel=CANARY",
    "https://xn--bx-fka.com/?channel=CANARY",
    "https://[2001:db8::1]/?channel=CANARY", "https://[::ffff:127.0.0.1]/?channel=CANARY",
    "http://10.0.0.1/?channel=CANARY", "http://169.254.169.254/latest/meta-data/",
    "http://0.0.0.0/?channel=CANARY",
    "http://127.1/?channel=CANARY", "http://2130706433/?channel=CANARY",
    "http://127.0.0.1.evil.example/?channel=CANARY",
    "http://localhost.evil.example/?channel=CANARY", "https://0x7f000001/?channel=CANARY",
  ]

  private static let invalidURLs = [
    "https://user:CANARY@rt.services.box.net/", "https://rt.box.com@evil.example/?channel=CANARY",
    #"https://rt.box.com/\r\nX: CANARY"#, #"https://rt.box.com/\nchannel=CANARY"#,
    #"https://rt.box.com\\@evil.example/CANARY"#,
    "https://rt.bóx.com/?channel=CANARY", "https://rt.ƅox.com/?channel=CANARY",
    #"https://rt.box.com\u202e/CANARY"#,
    #"https://rt.box.com/\u0000CANARY"#, "https://rt.box.com/ ?channel=CANARY", "file:///etc/passwd",
    "javascript:alert('CANARY')", "ftp://rt.box.com/CANARY", "ws://rt.box.com/CANARY", "//rt.box.com/CANARY",
    "/subscribe?channel=CANARY", "subscribe", "https://", "https:///subscribe?channel=CANARY",
    "https://:443/CANARY",
    "https://rt.box.com:0/CANARY", "https://rt.box.com:65536/CANARY", "https://rt.box.com:x/CANARY",
    "https://2.realtime.services.box.net.:443/?channel=CANARY",
    "https://[::1/CANARY", "https://[v1.x]/CANARY", "https://*.box.com/CANARY",
    "https://rt.box.com%2eevil.example/CANARY",
    "http:/rt.box.com/CANARY", "data:text/plain,CANARY", " https://rt.box.com/CANARY",
    "https://rt.box.com/\(String(repeating: "x", count: 9000))",
  ]
}
