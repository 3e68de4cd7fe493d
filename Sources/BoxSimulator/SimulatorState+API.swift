import NIOCore
import NIOHTTP1

/// What Box answers at its API, faults aside.
extension SimulatorState {
  /// `POST /oauth2/token`
  mutating func token(_ request: Request) -> Answer {
    let form = Query(request.text)
    if let token = form["refresh_token"], tokens.spentRefreshTokens.contains(token) {
      record(.spentRefreshToken, "a refresh token was used again")
    }
    let answer = tokens.grant(form, now: clock.secondsSince1970)
    if answer.status == 400, String(buffer: answer.body).contains("'jti'") {
      record(.repeatedAssertion, "an assertion's jti was used before, or is too short or long")
    }
    return answer
  }

  /// `OPTIONS /2.0/events`
  ///
  /// Source: <https://developer.box.com/reference/options-events/>
  mutating func realtimeServer(_ request: Request) -> Answer {
    switch feedKey(request) {
    case .failure(let refusal): return refusal.answer
    case .success(let key):
      guard !key.isEnterprise else {
        return .refusal(400, "bad_request", "stream_type \(key.type) has no realtime server")
      }
      return realtime.open(key, baseURL: realtimeURL)
    }
  }

  /// `GET /2.0/events`
  ///
  /// Source: <https://developer.box.com/reference/get-events/>
  mutating func events(_ request: Request) -> Answer {
    switch feedKey(request) {
    case .failure(let refusal): return refusal.answer
    case .success(let key):
      let limit = request.query["limit"].map { Int($0) ?? 0 } ?? 100
      guard limit > 0 else { return .refusal(400, "bad_request", "limit is malformed") }
      let text = request.query["stream_position"] ?? "0"
      guard let start = Self.start(text) else {
        return .refusal(400, "bad_request", "stream_position is malformed: \(text)")
      }
      return page(of: key, from: start, limit: min(limit, 500))
    }
  }

  private struct Refused: Error { var answer: Answer }

  /// The feed a request is allowed to read.
  private func feedKey(_ request: Request) -> Result<FeedKey, Refused> {
    guard let token = request.bearerToken, var user = tokens.user(of: token) else {
      return .failure(Refused(answer: .unauthorized))
    }
    if let other = request.headers.first(name: "as-user") { user = other }
    guard tokens.exists(user: user) else {
      return .failure(
        Refused(answer: .refusal(403, "forbidden", "Access denied - insufficient permission")))
    }
    let type = request.query["stream_type"] ?? "all"
    guard FeedKey.types.contains(type) else {
      return .failure(Refused(answer: .refusal(400, "bad_request", "stream_type is unknown: \(type)")))
    }
    let key = FeedKey(user: user, type: type)
    // Enterprise events belong to the enterprise, whoever asks.
    return .success(key.isEnterprise ? FeedKey(user: tokens.credentials.enterpriseID, type: type) : key)
  }

  private static func start(_ text: String) -> Feed.Start? {
    switch text {
    case "now": return .now
    case "0": return .oldest
    default:
      guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let position = UInt64(text) else {
        return nil
      }
      return .at(position)
    }
  }

  private mutating func page(of key: FeedKey, from start: Feed.Start, limit: Int) -> Answer {
    var page = Feed.Page()
    var answer = Answer.text("")
    change(key) { feed in
      page = feed.page(from: start, limit: limit)
      answer = feed.answer(page)
    }
    if case .at(let position) = start, let feed = feeds[key], !feed.hasServed(position) {
      record(.unknownPosition, "\(position) of \(key.user)/\(key.type)")
    }
    recordServed(page.indices.count)
    recordRead(key, isProductive: page.isProductive)
    return answer
  }
}

extension Feed {
  /// The page as Box writes it, the entries' bytes copied as they are.
  func answer(_ page: Page) -> Answer {
    let asString = key.isEnterprise || options.positionsAsStrings
    let digits = page.next.map { "\($0)" } ?? "0"
    let position = asString ? "\"\(digits)\"" : digits
    let chunk = page.indices.count + (options.liesAboutChunkSize ? page.indices.count % 3 : 0)
    let size = page.indices.reduce(0) { $0 + entries[$1].bytes.count + 1 }
    var body = ByteBufferAllocator().buffer(capacity: size + 128)
    body.writeString(#"{"chunk_size":\#(chunk),"next_stream_position":\#(position),"entries":["#)
    for (ordinal, index) in page.indices.enumerated() {
      if ordinal > 0 { body.writeInteger(UInt8(ascii: ",")) }
      body.writeBytes(entries[index].bytes)
    }
    body.writeStaticString("]}")
    return Answer(headers: [("Content-Type", "application/json")], body: body)
  }
}
