import Glibc
import Synchronization

/// Holds up what is delivered until it is opened.
final class Gate: Sendable {
  private let taken = Mutex<[String]>([])
  private let isOpen = Atomic(false)
  /// Not opened for long: it no longer holds its callers up.
  private let isOverdue = Atomic(false)
  /// Ends when the first text is at the gate.
  let (arrival, arrived) = AsyncStream.makeStream(of: Never.self)

  /// What has passed, in order.
  var texts: [String] { taken.withLock { $0 } }
  /// Whether nothing has passed before it was opened.
  var isInTime: Bool { !isOverdue.load(ordering: .acquiring) }

  func open() { isOpen.store(true, ordering: .releasing) }

  func take(_ text: String) {
    arrived.finish()
    let deadline = ContinuousClock.now + .seconds(30)
    while !isOpen.load(ordering: .acquiring), isInTime {
      usleep(1000)
      if ContinuousClock.now > deadline { isOverdue.store(true, ordering: .releasing) }
    }
    taken.withLock { $0.append(text) }
  }
}
