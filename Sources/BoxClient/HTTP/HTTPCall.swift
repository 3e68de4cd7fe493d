import BoxEvents
import NIOHTTP1

/// One request to Box, as the rest of the module describes it to ``BoxTransport``.
struct HTTPCall: Sendable {
  /// What is called. It decides the method, the connections, the time allowed and the size of the answer.
  enum Endpoint: Hashable, Sendable {
    /// `POST /oauth2/token`
    case token
    /// `OPTIONS /2.0/events`
    case options
    /// `GET /2.0/events`
    case events
    /// `GET /2.0/users/me`
    case user
    /// A long poll at a realtime server, which may stay silent for `retryTimeout`; `briefly` is for how long it is waited
    /// for where that is less.
    case poll(retryTimeout: Duration, briefly: Duration? = nil)

    var takesAccessToken: Bool {
      switch self {
      case .options, .events, .user: true
      case .token, .poll: false
      }
    }
  }

  let endpoint: Endpoint
  /// Secret, since a realtime server's URL carries its channel.
  let url: Secret<WebURL>
  var headers: HTTPHeaders = [:]
  var body: String?
  /// Once it is sent, a cancelled task still waits for the answer: it spends something that only the answer replaces.
  var mustBeAnswered = false
  /// Bytes to reserve if the answer doesn't name its length.
  var expectedBodyBytes = 0

  init(_ endpoint: Endpoint, _ url: WebURL) {
    self.endpoint = endpoint
    self.url = Secret(url)
  }
}

/// A request that has ended, for metrics and the log: nothing of what was sent or received.
package struct FinishedCall: Sendable {
  /// `events`, `options`, `poll`, `token` or `user`.
  package var endpoint: String
  /// The HTTP status, or the raw value of ``FeedFailure/Code`` if no answer came; `quiet` for a poll that was ended soon.
  package var code: String
  package var duration: Duration
  /// The id Box gave the request.
  package var requestID: String?
  /// The size of the answer's body, decompressed.
  package var bytes = 0
}

/// What becomes of a call, for deadlines, metrics and the log.
package enum CallStage: Sendable {
  /// It waits until others have ended, at most this many times as many as may run at once, and for at most so long
  /// because of ``TransportSettings/callsPerMinute``. May come again, with less to wait for.
  case queued(rounds: Int, wait: Duration)
  /// Its turn has come, after ``queued(rounds:wait:)``: its time limit runs from here.
  case began
  case ended(FinishedCall)
}

package typealias CallObserver = @Sendable (CallStage) -> Void

extension HTTPCall.Endpoint {
  var method: HTTPMethod {
    switch self {
    case .token: .POST
    case .options: .OPTIONS
    case .events, .user, .poll: .GET
    }
  }

  /// The endpoint's name in metrics.
  var name: String {
    switch self {
    case .token: "token"
    case .options: "options"
    case .events: "events"
    case .user: "user"
    case .poll: "poll"
    }
  }

  /// Who answers, in messages.
  var server: String {
    switch self {
    case .token: "the token endpoint"
    case .options, .events, .user: "Box"
    case .poll: "the realtime server"
    }
  }

  /// Made to get an access token, before any other call.
  var isOfSignIn: Bool { self == .token || self == .user }

  /// A poll that we end soon ourselves.
  var isBrief: Bool {
    if case .poll(_, .some) = self { true } else { false }
  }

  var isPoll: Bool {
    if case .poll = self { true } else { false }
  }

  /// Bytes; a longer body ends the call with ``tooLarge(_:)``.
  func maximumBodyBytes(_ settings: TransportSettings) -> Int {
    self == .events ? settings.maximumPageBytes : settings.maximumSmallBodyBytes
  }

  /// The failure of an answer that is larger than ``maximumBodyBytes(_:)``.
  func tooLarge(_ settings: TransportSettings) -> FeedFailure {
    let maximum = "\(maximumBodyBytes(settings)) bytes"
    return switch self {
    case .events:
      FeedFailure(.tooLarge, "the page is larger than \(maximum)", hint: "Raise max_page in [box].")
    case .options: FeedFailure(.unreadable, "the answer to OPTIONS is larger than \(maximum)")
    case .token, .user, .poll: FeedFailure(.unreadable, "the answer of \(server) is larger than \(maximum)")
    }
  }
}
