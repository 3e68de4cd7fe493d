import BoxEvents

/// Opening a spool again in the same run, with what was to be done.
extension OpenSpool {
  /// What stays in memory of a spool that was closed by itself.
  struct Interruption: Sendable {
    var pending: PendingCommit?
    var unreportedGaps: [Gap]
  }

  /// Closes everything. What is on disk counts again once a recovery has proven it.
  func interrupted() -> Interruption {
    close()
    return interruption
  }

  var interruption: Interruption { Interruption(pending: pending, unreportedGaps: unreportedGaps) }

  /// Recovers the spool as a restart does, and prepares what is left of the pending commit.
  static func reopened(
    _ setup: StreamSpool.Setup, after interruption: Interruption
  ) throws(StoreFailure) -> OpenSpool {
    var (spool, recovery) = try SpoolRecovery.recover(setup)
    // The move of a position was reported at the start.
    let gaps = recovery.gaps.filter {
      $0.cause != .positionSet && !interruption.unreportedGaps.contains($0)
    }
    spool.unreportedGaps = interruption.unreportedGaps + gaps
    guard let old = interruption.pending else { return spool }
    do throws(StoreFailure) {
      var rest = try spool.prepared(old.batch, old.checkpoint)
      rest.kept.events = old.kept.events + old.identities.count - rest.identities.count
      rest.kept.bytes = old.kept.bytes + old.lines.count - rest.lines.count
      spool.pending = rest
      return spool
    } catch {
      spool.close()
      throw error
    }
  }
}
