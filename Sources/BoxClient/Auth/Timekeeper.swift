/// The clock tokens age by: it never jumps, unlike the time of day. Tests move their own.
package struct Timekeeper: Sendable {
  /// Time since some fixed moment.
  package var now: @Sendable () -> Duration
  /// Returns early only when the task is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void

  package init(
    now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.now = now
    self.sleep = sleep
  }

  package static let continuous: Timekeeper = {
    let start = ContinuousClock.now
    return Timekeeper(now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
  }()
}
