import BoxEvents
import Synchronization

/// A source that answers from a script, and hangs until cancelled where the script ends.
final class ScriptedSource: EventSource {
  enum Answer: Sendable {
    case page(String, date: Int64? = nil)
    case server
    case reply(RealtimeReply)
    case failure(FeedFailure)
  }

  enum Call: Hashable, Sendable {
    case read(String, limit: Int)
    case subscribe
    case poll(String)
  }

  static let server = RealtimeServer(url: Secret("https://127.0.0.1/subscribe?channel=c"))

  private let state: Mutex<(script: [Answer], calls: [Call])>
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation

  init(_ script: [Answer]) {
    state = Mutex((script, []))
    (ended, end) = AsyncStream.makeStream()
  }

  /// What was asked, in order.
  var calls: [Call] { state.withLock { $0.calls } }

  /// Returns when the script has been used up and more is asked for.
  func scriptEnded() async {
    for await _ in ended { return }
  }

  func read(_ request: ReadRequest) async throws(FeedFailure) -> PageAnswer {
    switch try await next(.read(request.position.description, limit: request.limit)) {
    case .page(let text, let date):
      return PageAnswer(body: Array(text.utf8), date: date.map(BoxTime.init(secondsSince1970:)))
    case .server, .reply, .failure:
      throw FeedFailure(.unreadable, "the script has no page here")
    }
  }

  func subscribe() async throws(FeedFailure) -> RealtimeServer {
    guard case .server = try await next(.subscribe) else {
      throw FeedFailure(.unreadable, "the script has no server here")
    }
    return Self.server
  }

  func poll(_ server: RealtimeServer, from position: ReadPosition) async throws(FeedFailure) -> RealtimeReply
  {
    guard case .reply(let reply) = try await next(.poll(position.description)) else {
      throw FeedFailure(.unreadable, "the script has no reply here")
    }
    return reply
  }

  private func next(_ call: Call) async throws(FeedFailure) -> Answer {
    let answer: Answer? = state.withLock {
      $0.calls.append(call)
      return $0.script.isEmpty ? nil : $0.script.removeFirst()
    }
    switch answer {
    case .failure(let failure)?: throw failure
    case let answer?: return answer
    case nil:
      end.yield()
      try? await Task.sleep(for: .seconds(3600))
      throw FeedFailure(.cancelled, "stopped")
    }
  }
}
