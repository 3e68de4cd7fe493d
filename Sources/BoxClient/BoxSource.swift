package import BoxEvents
import NIOHTTP1
import Synchronization

/// One stream of one Box account, over HTTP.
/// Sources: <https://developer.box.com/reference/get-events/>,
/// <https://developer.box.com/reference/options-events/>.
package final class BoxSource: EventSource {
  let transport: BoxTransport
  let settings: FeedSettings
  let observer: CallObserver
  private let tokens: AccessTokens
  /// `https://api.box.com/2.0/events`.
  private let eventsURL: WebURL
  /// The size of the last page: what is reserved for the next.
  private let lastPageBytes = Atomic<Int>(0)
  /// What Box has refused with a token that had just been renewed for it, and has not accepted since.
  private let refusedWithFreshToken = Mutex<Set<HTTPCall.Endpoint>>([])

  /// - Parameter tokens: shared by all streams with the same subject.
  /// - Throws: if `api_url` is not encrypted.
  package init(
    transport: BoxTransport, tokens: AccessTokens, settings: FeedSettings,
    observer: @escaping CallObserver = { _ in }
  ) throws(ClientSettingsError) {
    try settings.apiURL.requireConfidential(key: "api_url")
    self.transport = transport
    self.tokens = tokens
    self.settings = settings
    self.observer = observer
    self.eventsURL = settings.apiURL.appending(path: "/events")
  }

  package func read(_ request: ReadRequest) async throws(FeedFailure) -> PageAnswer {
    let query =
      "stream_position=\(request.position)&stream_type=\(settings.type.rawValue)&limit=\(request.limit)"
    var call = HTTPCall(.events, eventsURL.appending(query: query))
    // Pages shrink about tenfold, at 0.5–2.5 µs of CPU an event.
    call.headers.add(name: "Accept-Encoding", value: "gzip")
    call.expectedBodyBytes = lastPageBytes.load(ordering: .relaxed)
    let answer = try await sendAuthorized(call)
    lastPageBytes.store(answer.body.count, ordering: .relaxed)
    return PageAnswer(body: answer.body, date: answer.date, requestID: answer.requestID)
  }

  package func subscribe() async throws(FeedFailure) -> RealtimeServer {
    let url = eventsURL.appending(query: "stream_type=\(settings.type.rawValue)")
    do throws(FeedFailure) {
      var server = try RealtimeServer(parsing: try await sendAuthorized(HTTPCall(.options, url)).body)
      server.url = Secret(try allowed(server.url).reveal().description)
      return server
    } catch {
      throw error.ofRealtime
    }
  }

  /// Sends a call with the access token. A token that is refused is renewed, and the call sent once more.
  private func sendAuthorized(_ call: HTTPCall) async throws(FeedFailure) -> HTTPAnswer {
    // A sign-in that fails takes no turn from a call.
    _ = try await tokens.token(observer)
    let (answer, token) = try await send(call)
    guard answer.status == 401 else { return try success(answer, call, token) }
    let refusal = refusal(answer, call, token)
    if isRefused(call, whatever: token) { throw refusal }
    _ = try await tokens.replacement(for: token, refusal: refusal, observer)
    let (second, renewed) = try await send(call)
    if second.status == 401 { _ = refusedWithFreshToken.withLock { $0.insert(call.endpoint) } }
    return try success(second, call, renewed)
  }

  /// Whether Box refuses this stream's call and not the token, as with an `As-User` that it doesn't allow: a fresh
  /// token hasn't helped, while other calls work with this one. Another token wouldn't help either, and all streams
  /// would change theirs.
  ///
  /// The call that Box accepted last is never one of these, so a token that expires or is revoked is still replaced.
  /// One without a lifetime always is: that only reads its file.
  private func isRefused(_ call: HTTPCall, whatever token: AccessToken) -> Bool {
    token.lifetime != nil && token.hasWorked && refusedWithFreshToken.withLock { $0.contains(call.endpoint) }
  }

  /// Sends a call when its turn has come, with the token of that moment: the queue may be longer than a token lives.
  private func send(_ call: HTTPCall) async throws(FeedFailure) -> (HTTPAnswer, AccessToken) {
    let gate = try await transport.enter(call.endpoint, observer)
    defer { gate.leave() }
    let token = try await tokens.token(observer)
    var call = call
    call.headers.add(name: "Authorization", value: "Bearer \(token.text.reveal())")
    if let user = settings.asUser { call.headers.add(name: "As-User", value: user) }
    return (try await transport.sendAtOnce(call, observer), token)
  }

  private func success(
    _ answer: HTTPAnswer, _ call: HTTPCall, _ token: AccessToken
  ) throws(FeedFailure) -> HTTPAnswer {
    guard answer.status == 200 else { throw refusal(answer, call, token) }
    token.noteWorked()
    _ = refusedWithFreshToken.withLock { $0.remove(call.endpoint) }
    return answer
  }

  /// With what this stream needs of the app, where Box refuses the token or the call.
  private func refusal(_ answer: HTTPAnswer, _ call: HTTPCall, _ token: AccessToken) -> FeedFailure {
    var failure = answer.refusal(from: call.endpoint, hiding: [token.text])
    switch failure.code {
    case .unauthorized:
      failure.hint = token.renewalHint ?? settings.remedy(isForbidden: false)
    case .forbidden: failure.hint = settings.remedy(isForbidden: true)
    default: break
    }
    return failure
  }
}

/// What one stream asks Box for.
package struct FeedSettings: Hashable, Sendable {
  /// `https://api.box.com/2.0`; plain http only on loopback.
  package var apiURL: WebURL
  package var type: StreamType
  /// The user id for the header `As-User`.
  package var asUser: String?
  /// Patterns of hosts that may serve long polls, on any port; see ``RealtimeURL``.
  package var realtimeHosts: [String]

  package static let defaultRealtimeHosts = ["*.services.box.net", "*.box.com"]

  package init(
    apiURL: WebURL, type: StreamType = .all, asUser: String? = nil,
    realtimeHosts: [String] = Self.defaultRealtimeHosts
  ) {
    self.apiURL = apiURL
    self.type = type
    self.asUser = asUser
    self.realtimeHosts = realtimeHosts
  }

  /// Which of the app's rights and users to check.
  /// - Parameter general: what to check where the stream needs nothing beyond the ordinary.
  fileprivate func remedy(isForbidden: Bool) -> String {
    var needs: [String] = []
    if let asUser {
      needs.append(
        "The app needs \"Make API calls using the as-user header\", and user \(asUser) must be of the enterprise."
      )
    }
    if !type.hasRealtimeServer { needs.append("The app needs \"Manage enterprise properties\".") }
    if needs.isEmpty {
      let what = isForbidden ? "scopes" : "authorization"
      needs.append("Check the app's \(what) in Box's developer console.")
    }
    return (needs + ["Then authorize the app again in the Admin Console."]).joined(separator: " ")
  }
}
