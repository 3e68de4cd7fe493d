import NIOHTTP1

/// The realtime server's side, and the login page.
extension SimulatorState {
  /// `GET /subscribe`: answers at once if there is something newer or to complain about.
  mutating func poll(
    _ request: Request, fault: Fault, wake: @escaping @Sendable () -> Void
  ) -> SimulatorCore.Outcome {
    if request.headers.contains(name: "authorization") {
      record(.authorizationAtRealtime, "\(request.headers.first(name: "host") ?? "") \(request.path)")
      return .deliver(.refusal(400, "bad_request", "Authorization does not belong here"), fault)
    }
    switch realtime.poll(channel: request.query["channel"]) {
    case .answer(let answer): return .deliver(closing(answer), fault)
    case .hold(let key):
      if let position = request.query["stream_position"].flatMap({ UInt64($0) }),
        !feed(key).hasServed(position)
      {
        record(.unknownPosition, "\(position) polled, of \(key.user)/\(key.type)")
      }
      if let answer = immediateReply(request.query["stream_position"], feed(key)) {
        return .deliver(closing(answer), fault)
      }
      return .hold(realtime.hold(HeldPoll(feed: key, wake: wake)), key, fault)
    }
  }

  /// What a poll that was held hears when something has come.
  var changeReply: Answer { closing(.message(options.realtime.changeMessage)) }

  /// What it hears when nothing has.
  var timeoutReply: Answer { closing(.message("reconnect")) }

  private func immediateReply(_ text: String?, _ feed: Feed) -> Answer? {
    // Without a position there is nothing to compare with: only what comes from now on counts.
    guard let text, let position = UInt64(text), position < feed.newestPosition else { return nil }
    let behind = feed.entries.count - feed.index(of: position)
    if behind > options.realtime.outOfDateAfter { return .message("out_of_date") }
    return behind > 0 ? .message(options.realtime.changeMessage) : nil
  }

  private func closing(_ answer: Answer) -> Answer {
    var answer = answer
    answer.closesConnection = options.realtime.closesConnection
    return answer
  }

  /// `GET /api/oauth2/authorize`: the consent page, at once granted by the first user.
  ///
  /// Source: <https://developer.box.com/reference/get-authorize/>
  mutating func authorize(_ request: Request) -> Answer {
    guard request.query["client_id"] == options.credentials.clientID,
      request.query["response_type"] == "code", let user = options.credentials.users.first
    else { return .html("Unknown application", status: 400) }
    let code = tokens.issueCode(user: user)
    guard let target = request.query["redirect_uri"] else { return .html("Your code is \(code)") }
    let separator = target.contains("?") ? "&" : "?"
    let state = request.query["state"].map { "&state=\($0)" } ?? ""
    var answer = Answer.html("Found", status: 302)
    answer.headers.append(("Location", "\(target)\(separator)code=\(code)\(state)"))
    return answer
  }
}
