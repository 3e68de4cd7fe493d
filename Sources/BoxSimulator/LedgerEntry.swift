/// One entry of a feed, as it was and will be served.
package struct LedgerEntry: Sendable, Hashable {
  /// The exact bytes.
  package var bytes: [UInt8]
  /// False for `null` and the like, which are no events.
  package var isEvent: Bool
  /// Where it stands. A position one higher is just behind it.
  package var position: UInt64
  /// CLOCK_MONOTONIC when it was produced.
  package var producedNanoseconds: UInt64
}
