import BoxEvents
import Spool

@testable import EventDaemon

/// Time in a simulation: it passes only where it is advanced. Unguarded, as
/// ``SimulatedDisk`` is.
final class SimulatedClock: FeedClock, @unchecked Sendable {
  /// True time since the run began.
  private(set) var elapsed = Duration.zero
  /// What this machine's wall clock is wrong by.
  var wallError: Int64 = 0
  /// When the machine was started.
  private var booted = Duration.zero
  /// Called at each wait.
  var watch: @Sendable () -> Void = {}

  static let origin: Int64 = 1_800_000_000

  var now: FeedInstant { FeedInstant(sinceOrigin: elapsed - booted) }

  /// True seconds since 1970, which Box's clock shows.
  var trueSeconds: Int64 { Self.origin + elapsed.components.seconds }

  var wallSeconds: Int64 { trueSeconds + wallError }

  var spoolClock: SpoolClock {
    SpoolClock(wallSeconds: { self.wallSeconds }, monotonic: { self.elapsed - self.booted })
  }

  func advance(by duration: Duration) { elapsed += duration }

  func reboot() { booted = elapsed }

  func sleep(until instant: FeedInstant) async throws {
    watch()
    try Task.checkCancellation()
    elapsed = max(elapsed, booted + instant.sinceOrigin)
  }
}
