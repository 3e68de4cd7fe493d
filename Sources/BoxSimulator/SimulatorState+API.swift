import NIOCore
import NIOHTTP1

/// The answers of Box's API, without faults.
extension SimulatorState {
  /// `POST /oauth2/token`
  mutating func token(_ request: Request) -> Answer {
    let form = Query(request.text)
    if let token = form["refresh_token"], tokens.spentRefreshTokens.contains(token) {
      record(.spentRefreshToken, "a refresh token was used again")
    }
    let answer = tokens.grant(form, now: clock.now.secondsSince1970)
    if answer.status == 400, String(buffer: answer.body).contains("'jti'") {
      record(.repeatedAssertion, "an assertion's jti was used before, or is too short or long")
    }
    return answer
  }

  /// `OPTIONS /2.0/events`
  ///
  /// Source: <https://developer.box.com/reference/options-events/>
  mutating func realtimeServer(_ request: Request) -> Answer {
    do throws(Refused) {
      let key = try feedKey(request)
      guard !key.isEnterprise else {
        throw Refused(400, "bad_request", "stream_type \(key.type) lacks a realtime server")
      }
      return realtime.open(key, baseURL: realtimeURL)
    } catch {
      return error.answer
    }
  }

  /// `GET /2.0/events`
  ///
  /// Source: <https://developer.box.com/reference/get-events/>
  mutating func events(_ request: Request) -> Answer {
    do throws(Refused) {
      let key = try feedKey(request)
      let limit = request.query["limit"].map { Int($0) ?? 0 } ?? 100
      guard limit > 0 else { throw Refused(400, "bad_request", "limit is malformed") }
      let text = request.query["stream_position"] ?? "0"
      guard let start = Self.start(text) else {
        throw Refused(400, "bad_request", "stream_position is malformed: \(text)")
      }
      return page(of: key, from: start, limit: min(limit, 500))
    } catch {
      return error.answer
    }
  }

  private struct Refused: Error {
    var answer: Answer

    init(_ status: Int, _ code: String, _ message: String) {
      answer = .refusal(status, code, message)
    }

    init(_ answer: Answer) { self.answer = answer }
  }

  /// The feed that a request may read.
  private func feedKey(_ request: Request) throws(Refused) -> FeedKey {
    guard let token = request.bearerToken, var user = tokens.user(of: token) else {
      throw Refused(.unauthorized)
    }
    if let other = request.headers.first(name: "as-user") { user = other }
    guard tokens.exists(user: user) else {
      throw Refused(403, "forbidden", "Access denied - insufficient permission")
    }
    let type = request.query["stream_type"] ?? "all"
    guard FeedKey.types.contains(type) else {
      throw Refused(400, "bad_request", "stream_type is unknown: \(type)")
    }
    return options.key(user: user, type: type)
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
    let (page, answer) = change(key) { feed, _ in
      let page = feed.page(from: start, limit: limit)
      return (page, feed.answer(page))
    }
    if case .at(let position) = start, let feed = feeds[key], !feed.hasServed(position) {
      record(.unknownPosition, "\(position) of \(key.user)/\(key.type)")
    }
    recordServed(page.indices.count)
    recordRead(key, isProductive: page.isProductive)
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
