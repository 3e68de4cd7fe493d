import BoxClient
import BoxEvents
import Synchronization

/// The calls of the last hour that Box counts: a count a minute and kind, for the minute that runs and the 59 before.
struct CallHistory: Sendable {
  static let minutes = 60

  private let start: FeedInstant
  private var counts = [CallCounts](repeating: [:], count: Self.minutes)
  /// The last minute that is counted, since `start`.
  private var last = 0

  init(start: FeedInstant) { self.start = start }

  mutating func record(_ kind: CallKind, at now: FeedInstant) {
    forget(before: now)
    counts[last % Self.minutes][kind, default: 0] += 1
  }

  /// - Parameter limit: `calls_per_minute`.
  func usage(at now: FeedInstant, limit: Int? = nil, waiting: Int = 0) -> CallUsage {
    var history = self
    history.forget(before: now)
    let counts = history.counts.reduce(into: CallCounts()) { $0.merge($1) { $0 + $1 } }
    let first = Duration.seconds(60 * max(0, history.last - Self.minutes + 1))
    return CallUsage(
      counts: counts, span: max(.zero, start.duration(to: now) - first),
      isFullHour: history.last >= Self.minutes, limit: limit, waiting: waiting)
  }

  /// Minutes that an hour has passed since are counted anew.
  private mutating func forget(before now: FeedInstant) {
    let minute = Int(start.duration(to: now).components.seconds / 60)
    guard minute > last else { return }
    for passed in max(last + 1, minute - Self.minutes + 1)...minute { counts[passed % Self.minutes] = [:] }
    last = minute
  }
}

/// Calls to Box, as `status` and the metrics show them.
struct CallUsage: Hashable, Sendable {
  var counts: CallCounts = [:]
  /// The time they were made in: 59 to 60 minutes, or less after a start.
  var span = Duration.zero
  var isFullHour = false
  /// `calls_per_minute`.
  var limit: Int?
  /// Calls that wait for their turn now.
  var waiting = 0

  /// So many calls in 30 days, if it goes on like that; a shorter time counts as a minute.
  var monthProjection: UInt64 {
    UInt64(exactly: (Double(counts.total) * (FeedRules.month / max(.seconds(60), span))).rounded()) ?? .max
  }
}

/// Counts the calls of all streams and sign-ins.
final class CallCounter: Sendable {
  private let history: Mutex<CallHistory>

  init(start: FeedInstant) { history = Mutex(CallHistory(start: start)) }

  /// Counts a call that has ended, whatever its answer: Box may have counted it.
  func observe(_ stage: CallStage, at now: FeedInstant) {
    guard case .ended(let call) = stage, let kind = CallKind(rawValue: call.endpoint) else { return }
    history.withLock { $0.record(kind, at: now) }
  }

  func usage(at now: FeedInstant, limit: Int?, waiting: Int) -> CallUsage {
    history.withLock { $0 }.usage(at: now, limit: limit, waiting: waiting)
  }
}
