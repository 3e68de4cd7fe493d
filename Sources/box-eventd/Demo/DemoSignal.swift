import Synchronization
import UnixSignals

/// Whether the demo has been asked to end: Ctrl-C and SIGTERM end it with its count.
final class DemoSignal: Sendable {
  private let arrived = Atomic(false)

  var hasArrived: Bool { arrived.load(ordering: .relaxed) }

  init() {
    Task { [weak self] in
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        self?.arrived.store(true, ordering: .relaxed)
      }
    }
  }
}
