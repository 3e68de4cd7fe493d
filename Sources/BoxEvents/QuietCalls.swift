/// The calls that Box counts against a licence and a user's limit: all but long polls.
package enum CallKind: String, Hashable, Sendable, CaseIterable {
  case events
  case options
  case token
  case user
}

/// Calls by kind.
package typealias CallCounts = [CallKind: UInt64]

extension CallCounts {
  package var total: UInt64 { values.reduce(0) { $0 &+ $1 } }
}

/// What streams cost while nothing happens.
extension FeedRules {
  /// Box's licences count calls a month: this long here.
  package static let month = Duration.seconds(30 * 86_400)

  /// The calls of one stream on which nothing happens, about: a read whenever a poll ends or an interval is over, and an
  /// OPTIONS for each new server. Lookbacks add none: they read again what has come in the meantime.
  /// - Parameter server: as Box names it today; it holds a poll for all of its `retry_timeout`.
  package func quietCalls(
    in span: Duration, server: RealtimeServer = RealtimeServer(url: Secret(""))
  ) -> CallCounts {
    guard hasRealtimeServer else { return [.events: Self.count(span / interval)] }
    let held = server.retryTimeout
    // As many polls of one server begin within its time.
    let polls = min(Double(server.maximumPolls), (server.timeToLive / held).rounded(.up))
    return [.events: Self.count(span / held), .options: Self.count(span / held / max(1, polls))]
  }

  /// The calls for one subject's access tokens.
  /// - Parameter renewal: how old a token is when it is renewed.
  package static func tokenCalls(in span: Duration, renewal: Duration) -> CallCounts {
    [.token: count(span / renewal)]
  }

  private static func count(_ number: Double) -> UInt64 {
    UInt64(exactly: number.rounded()) ?? 0
  }
}
