import BoxEvents
import NIOCore
import NIOHTTP1

/// The answers of Box's API, without faults.
extension SimulatorState {
  /// `OPTIONS /2.0/events`, <https://developer.box.com/reference/options-events/>
  mutating func realtimeServer(_ request: Request) throws(Refusal) -> Answer {
    let key = try feedKey(request)
    guard !key.isEnterprise else { throw .badRequest("stream_type \(key.type) lacks a realtime server") }
    return realtime.open(key, baseURL: realtimeURL)
  }

  /// `GET /2.0/events`, <https://developer.box.com/reference/get-events/>
  mutating func events(_ request: Request) throws(Refusal) -> Answer {
    let key = try feedKey(request)
    let limit = request.query["limit"].map { Int($0) ?? 0 } ?? 100
    guard limit > 0 else { throw .badRequest("limit is malformed") }
    let text = request.query["stream_position"] ?? "0"
    guard let start = Feed.Start(text) else { throw .badRequest("stream_position is malformed: \(text)") }
    return page(of: key, from: start, limit: min(limit, 500))
  }

  /// `GET /2.0/users/me`, <https://developer.box.com/reference/get-users-me/>
  func user(_ request: Request) -> Answer {
    guard let token = request.bearerToken, let owner = tokens.user(of: token) else { return .unauthorized }
    var object = JSONObjectWriter()
    object.add("type", "user")
    object.add("id", request.header("as-user") ?? owner)
    object.add("enterprise", raw: #"{"type":"enterprise","id":"\#(options.credentials.enterpriseID)"}"#)
    return .json(object.text)
  }

  /// The feed that a request may read.
  private func feedKey(_ request: Request) throws(Refusal) -> FeedKey {
    guard let token = request.bearerToken, let owner = tokens.user(of: token) else {
      throw Refusal(answer: .unauthorized)
    }
    let user = request.header("as-user") ?? owner
    guard tokens.exists(user: user) else {
      throw Refusal(answer: .refusal(403, "forbidden", "Access denied - insufficient permission"))
    }
    let type = request.query["stream_type"] ?? "all"
    guard FeedKey.types.contains(type) else { throw .badRequest("stream_type is unknown: \(type)") }
    return options.key(user: user, type: type)
  }

  private mutating func page(of key: FeedKey, from start: Feed.Start, limit: Int) -> Answer {
    let (page, answer) = change(key) { feed, _ in
      let page = feed.page(from: start, limit: limit)
      return (page, feed.answer(page))
    }
    if case .at(let position) = start { checkPosition(position, of: key, "of") }
    counts.served += page.indices.count
    if !page.isProductive { recordIdleRead(key) }
    return answer
  }

  /// `GET /api/oauth2/authorize`: the consent page, granted at once by the first user.
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
