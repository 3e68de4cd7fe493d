import BoxEvents
import ScriptedHTTP
import Synchronization

@testable import EventDaemon

/// The server of one row: it gives the unusual answers of the row, then behaves like Box.
final class AnswerScript: Sendable {
  static let goodLines = (1...3).map { #"{"event_id":"good-\#($0)","type":"event"}"# }

  /// The first read of the stream after the unusual answers.
  struct NextRead: Sendable {
    var asks: String?
    var limit: String?
  }

  private struct State {
    var odd: ArraySlice<Reply>
    /// At the first request after the unusual answers.
    var observation: AnswerObserver.Observation?
    var nextRead: NextRead?
    var tokens = 0
    var subscriptions = 0
    var firstServerPolls = 0
    var pollTimeout: Duration?
    /// The stream has got an empty page.
    var isDrained = false
  }

  private let row: AnswerRow
  private let observer: AnswerObserver
  private let state: Mutex<State>
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation

  init(_ row: AnswerRow, _ observer: AnswerObserver) {
    self.row = row
    self.observer = observer
    state = Mutex(State(odd: row.replies[...]))
    (ended, end) = AsyncStream.makeStream()
  }

  var observation: AnswerObserver.Observation? { state.withLock { $0.observation } }
  var nextRead: NextRead? { state.withLock { $0.nextRead } }
  var subscriptions: Int { state.withLock { $0.subscriptions } }
  var firstServerPolls: Int { state.withLock { $0.firstServerPolls } }
  var pollTimeout: Duration? { state.withLock { $0.pollTimeout } }

  /// Returns when the stream has read everything and waits at a realtime server.
  func waitForEnd() async {
    for await _ in ended { return }
  }

  func reply(to request: RecordedRequest) -> Reply {
    state.withLock { state in
      if state.odd.isEmpty, state.observation == nil { state.observation = observer.observe() }
      return switch (request.method, request.target.prefix { $0 != "?" }) {
      case ("POST", "/oauth2/token"): Self.token(&state)
      case ("OPTIONS", "/2.0/events"): subscribe(&state)
      case ("GET", "/2.0/events"): read(request, &state)
      case ("GET", "/subscribe"): poll(&state)
      default: .answer(404)
      }
    }
  }

  private static func token(_ state: inout State) -> Reply {
    state.tokens += 1
    return .answer(200, #"{"access_token":"CANARY-token-\#(state.tokens)","expires_in":3600}"#)
  }

  private func odd(_ call: AnswerRow.Call, _ state: inout State) -> Reply? {
    row.call == call ? state.odd.popFirst() : nil
  }

  private func read(_ request: RecordedRequest, _ state: inout State) -> Reply {
    if let odd = odd(.read, &state) { return odd }
    let position = request.query("stream_position") ?? ""
    guard state.odd.isEmpty else { return AnswerRow.page("", next: position) }
    if state.nextRead == nil {
      state.nextRead = NextRead(asks: position, limit: request.query("limit"))
    }
    return goodPage(position, Int(request.query("limit") ?? "") ?? 0, &state)
  }

  /// The good events have the positions 1997, 1998 and 1999.
  private func goodPage(_ position: String, _ limit: Int, _ state: inout State) -> Reply {
    let start = max(0, (Int(position) ?? 0) - 1997)
    let first = start > 3 ? 0 : start
    let last = min(3, first + limit)
    if first == 3 { state.isDrained = true }
    return AnswerRow.page(Self.goodLines[first..<last].joined(separator: ","), next: "\(1997 + last)")
  }

  private func subscribe(_ state: inout State) -> Reply {
    state.subscriptions += 1
    return odd(.subscribe, &state) ?? AnswerRow.server(AnswerRow.realtimeURL)
  }

  private func poll(_ state: inout State) -> Reply {
    if let odd = odd(.poll, &state) { return odd }
    if state.subscriptions == 1 {
      state.firstServerPolls += 1
      state.pollTimeout = state.pollTimeout ?? observer.timeLeft()
    }
    let isCounting = row.polls != nil && state.subscriptions == 1
    guard state.isDrained, !isCounting else {
      observer.clock.advance(by: row.pollLasts)
      return .answer(200, #"{"version":1,"message":"out_of_date"}"#)
    }
    end.yield()
    return Reply(.silence)
  }
}
