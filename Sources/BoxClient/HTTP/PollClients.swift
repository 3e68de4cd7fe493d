import AsyncHTTPClient
import NIOCore
import Synchronization

/// The HTTP clients of the long polls: as many as there are hundreds of polls.
///
/// The library's pool of a server's connections is an array that it copies and searches for each new one: with ten
/// thousand polls at one server that would be all that the daemon does.
final class PollClients: Sendable {
  private struct State {
    var clients: [(client: HTTPClient, polls: Int)]
    var isShutDown = false
  }

  /// How many polls one client has at a time.
  static let pollsPerClient = 200

  private let make: @Sendable () -> HTTPClient
  private let state: Mutex<State>

  init(_ make: @escaping @Sendable () -> HTTPClient) {
    self.make = make
    state = Mutex(State(clients: [(make(), 0)]))
  }

  /// Starts a poll with the first client that has few enough.
  func start<Answer>(_ execute: (HTTPClient) -> HTTPClient.Task<Answer>) -> HTTPClient.Task<Answer> {
    let (client, index) = state.withLock { state in
      var index = state.clients.firstIndex { $0.polls < Self.pollsPerClient }
      // After the end no further client would be shut down, which the library requires.
      if index == nil, !state.isShutDown {
        index = state.clients.count
        state.clients.append((make(), 0))
      }
      let chosen = index ?? 0
      state.clients[chosen].polls += 1
      return (state.clients[chosen].client, chosen)
    }
    let task = execute(client)
    task.futureResult.whenComplete { [self] _ in state.withLock { $0.clients[index].polls -= 1 } }
    return task
  }

  /// All there are; none is added from now on.
  func end() -> [HTTPClient] {
    state.withLock { state in
      state.isShutDown = true
      return state.clients.map(\.client)
    }
  }
}
