import Dispatch
import Synchronization

/// Messages on their way to the service manager, so that one that reads none holds up this queue and nothing else.
///
/// While the manager's socket is full, sd_notify(3) waits. One thread delivers the messages in order, and may wait
/// there for ever. Of what waits with it, each field only counts with its newest value: what waits stays small, and
/// when there is space again, the manager learns how things are now.
final class NotificationQueue: Sendable {
  private struct State {
    /// No two of all fields have the same name.
    var waiting: [[String]] = []
    var isDelivering = false
  }

  private let state = Mutex(State())
  private let thread = DispatchQueue(label: "box-eventd.notify")
  private let deliver: @Sendable (String) -> Void

  init(_ deliver: @escaping @Sendable (String) -> Void) { self.deliver = deliver }

  /// Returns at once.
  /// - Parameter fields: of one message, each `NAME=value`.
  func append(_ fields: [String]) {
    let names = Set(fields.map(Self.name))
    let mustStart = state.withLock { state in
      for index in state.waiting.indices {
        state.waiting[index].removeAll { names.contains(Self.name(of: $0)) }
      }
      state.waiting.removeAll(where: \.isEmpty)
      state.waiting.append(fields)
      defer { state.isDelivering = true }
      return !state.isDelivering
    }
    if mustStart { thread.async { self.deliverAll() } }
  }

  /// Returns when all messages so far are delivered: perhaps never.
  func delivered() async {
    await withCheckedContinuation { continuation in thread.async { continuation.resume() } }
  }

  private func deliverAll() {
    while let fields = next() { deliver(fields.joined(separator: "\n")) }
  }

  private func next() -> [String]? {
    state.withLock { state in
      state.isDelivering = !state.waiting.isEmpty
      return state.isDelivering ? state.waiting.removeFirst() : nil
    }
  }

  private static func name(of field: String) -> Substring { field.prefix { $0 != "=" } }
}
