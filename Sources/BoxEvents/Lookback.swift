/// One lookback: a stretch behind the position, read again while the stream is caught up.
struct Lookback: Hashable, Sendable {
  /// What the next read starts from; nil when the check has come to its end.
  var position: ReadPosition?
  /// Positions asked for: an answer that leads back to one of them ends the check.
  var asked: Set<ReadPosition> = []
  /// Events found.
  var found = 0
}
