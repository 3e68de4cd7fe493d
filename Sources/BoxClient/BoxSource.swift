package import BoxEvents
import NIOHTTP1
import Synchronization

/// One stream of one Box account, over HTTP.
///
/// Sources: <https://developer.box.com/reference/get-events/>,
/// <https://developer.box.com/reference/options-events/>.
package final class BoxSource: EventSource {
  let transport: BoxTransport
  let settings: FeedSettings
  let onRequest: RequestObserver
  let apiIsLoopback: Bool
  private let tokens: AccessTokens
  /// `https://api.box.com/2.0/events`.
  private let eventsURL: String
  /// The size of the last page, to make room for the next.
  private let lastPageBytes = Atomic<Int>(0)

  /// - Parameters:
  ///   - tokens: shared by all streams with the same subject.
  ///   - onRequest: told of each request when it has ended.
  /// - Throws: where `api_url` is not encrypted.
  package init(
    transport: BoxTransport, tokens: AccessTokens, settings: FeedSettings,
    onRequest: @escaping RequestObserver = { _, _, _ in }
  ) throws(ClientSettingsError) {
    try settings.apiURL.requireConfidential(key: "api_url")
    self.transport = transport
    self.tokens = tokens
    self.settings = settings
    self.onRequest = onRequest
    self.apiIsLoopback = settings.apiURL.isLoopback
    self.eventsURL = settings.apiURL.appending(path: "/events").description
  }

  package func read(_ request: ReadRequest) async throws(FeedFailure) -> PageAnswer {
    let maximum = transport.settings.maximumPageBytes
    let query =
      "stream_position=\(request.position)&stream_type=\(settings.type.rawValue)&limit=\(request.limit)"
    var call = HTTPCall(
      method: .GET, url: Secret("\(eventsURL)?\(query)"), maximumBodyBytes: maximum,
      tooLarge: FeedFailure(
        .tooLarge, "the page is larger than \(maximum) bytes", hint: "Raise max_page in [box]."))
    if settings.gzip { call.headers.add(name: "Accept-Encoding", value: "gzip") }
    call.expectedBodyBytes = lastPageBytes.load(ordering: .relaxed)
    let answer = try await authorized(call, endpoint: "events")
    lastPageBytes.store(answer.body.count, ordering: .relaxed)
    return PageAnswer(body: answer.body, date: answer.date, requestID: answer.requestID)
  }

  package func subscribe() async throws(FeedFailure) -> RealtimeServer {
    let call = HTTPCall(
      method: .OPTIONS, url: Secret("\(eventsURL)?stream_type=\(settings.type.rawValue)"),
      maximumBodyBytes: transport.settings.maximumSmallBodyBytes,
      tooLarge: FeedFailure(.unreadable, "the answer to OPTIONS is far too long"))
    let answer = try await authorized(call, endpoint: "options")
    var server = try RealtimeServer(parsing: answer.body)
    server.url = try checked(server.url)
    return server
  }

  func checked(_ url: Secret<String>) throws(FeedFailure) -> Secret<String> {
    try RealtimeURL.checked(url, patterns: settings.realtimeHosts, allowsLoopback: apiIsLoopback)
  }

  /// Sends a call with the access token. One that is refused is renewed, and the call sent once more.
  private func authorized(_ call: HTTPCall, endpoint: String) async throws(FeedFailure) -> HTTPAnswer {
    let token = try await tokens.token()
    let answer = try await send(call, token, endpoint)
    guard answer.status == 401 else { return try success(answer, token) }
    let refusal = answer.refusal(from: "Box", hiding: [token.text])
    let renewed = try await tokens.replacement(for: token, refusal: refusal)
    return try success(try await send(call, renewed, endpoint), renewed)
  }

  private func send(
    _ call: HTTPCall, _ token: AccessToken, _ endpoint: String
  ) async throws(FeedFailure) -> HTTPAnswer {
    var call = call
    call.headers.add(name: "Authorization", value: "Bearer \(token.text.reveal())")
    if !settings.asUser.isEmpty { call.headers.add(name: "As-User", value: settings.asUser) }
    return try await transport.send(call, endpoint: endpoint, observer: onRequest)
  }

  private func success(_ answer: HTTPAnswer, _ token: AccessToken) throws(FeedFailure) -> HTTPAnswer {
    guard answer.status == 200 else { throw answer.refusal(from: "Box", hiding: [token.text]) }
    token.noteWorked()
    return answer
  }
}

extension BoxTransport {
  /// ``send(_:)``, measured.
  func send(
    _ call: HTTPCall, endpoint: String, observer: RequestObserver
  ) async throws(FeedFailure) -> HTTPAnswer {
    let start = ContinuousClock.now
    do throws(FeedFailure) {
      let answer = try await send(call)
      observer(endpoint, "\(answer.status)", ContinuousClock.now - start)
      return answer
    } catch {
      observer(endpoint, error.code.rawValue, ContinuousClock.now - start)
      throw error
    }
  }
}
