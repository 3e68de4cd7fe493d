/// One entry of a feed, as it was and will be served.
public struct LedgerEntry: Sendable, Hashable {
  /// The exact bytes.
  public var bytes: [UInt8]
  /// False for `null` and the like, which are no events.
  public var isEvent: Bool
  /// Where it stands. A position one higher is just behind it.
  public var position: UInt64
  /// CLOCK_MONOTONIC when it was produced.
  public var producedNanoseconds: UInt64
}
