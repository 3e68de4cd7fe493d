extension Coverage {
  /// The stages of the store's work, each with the faults that can inject it required of every complete batch.
  /// A batch that reaches a stage that is not listed fails too, so that this list stays true.
  static let stages: [Stage] =
    make(
      .recovery,
      [
        (.open, .root), (.open, .directory), (.makeDirectory, .directory), (.sync, .root),
        (.sync, .directory),
        (.list, .directory), (.open, .position), (.read, .position), (.create, .position),
        (.write, .position),
        (.truncate, .position), (.sync, .position), (.open, .segments), (.read, .segments),
        (.create, .segments), (.write, .segments), (.truncate, .segments), (.sync, .segments),
        (.open, .events), (.read, .events), (.write, .events), (.truncate, .events), (.sync, .events),
        (.open, .aside), (.create, .aside), (.write, .aside), (.truncate, .aside), (.sync, .aside),
        (.open, .gaps), (.read, .gaps), (.create, .gaps), (.write, .gaps), (.truncate, .gaps), (.sync, .gaps),
        (.remove, .current), (.link, .current), (.rename, .current), (.open, .mark), (.read, .mark),
      ])
    + make(
      .begin,
      [
        (.open, .position), (.create, .position), (.read, .position), (.write, .position),
        (.truncate, .position), (.sync, .position), (.sync, .directory), (.open, .segments),
        (.create, .segments), (.write, .segments), (.sync, .segments),
      ])
    + make(
      .deduplicate,
      [
        (.list, .directory), (.open, .events), (.read, .events), (.open, .knownIDs), (.read, .knownIDs),
        (.open, .quarantine), (.read, .quarantine), (.write, .quarantine), (.truncate, .quarantine),
        (.sync, .quarantine), (.sync, .directory), (.open, .segments), (.read, .segments),
      ])
    + make(
      .commit,
      [
        (.open, .quarantine), (.create, .quarantine), (.write, .quarantine), (.sync, .quarantine),
        (.open, .knownIDs), (.create, .knownIDs), (.truncate, .knownIDs), (.write, .knownIDs),
        (.sync, .knownIDs), (.rename, .knownIDs), (.open, .segments), (.read, .segments), (.write, .segments),
        (.truncate, .segments), (.sync, .segments), (.create, .events), (.sync, .directory),
        (.remove, .current), (.link, .current), (.rename, .current), (.write, .events), (.sync, .events),
        (.write, .position), (.sync, .position), (.read, .events), (.open, .aside), (.create, .aside),
        (.write, .aside), (.truncate, .aside), (.sync, .aside), (.list, .directory), (.truncate, .events),
        (.remove, .events), (.open, .mark), (.create, .mark), (.write, .mark), (.sync, .mark),
      ])
    + make(.save, [(.write, .position)])
    + make(
      .gap,
      [
        (.open, .gaps), (.create, .gaps), (.read, .gaps), (.write, .gaps), (.truncate, .gaps), (.sync, .gaps),
        (.sync, .directory),
      ])

  /// Whether a stage has to be on the list. Deleting old segments on the way of a quiet stream, and closing,
  /// are not steps of a commit or a recovery; a recovery in the middle of a run has a recovery's steps, and after it
  /// a commit loads the known ids. That a recovery forgets known ids takes a spool that was restored.
  static func isChecked(_ stage: Stage) -> Bool {
    switch stage.phase {
    case .commit where stage.operation == .open: stage.place != .events
    case .commit where stage.operation == .read: ![.knownIDs, .quarantine].contains(stage.place)
    case .recovery where stage.place == .knownIDs: false
    case .recovery, .begin, .deduplicate, .commit, .gap: true
    case .save, .freeSpace, .close, .reopening: false
    }
  }

  private static func make(
    _ phase: Stage.Phase, _ steps: [(Stage.Operation, Stage.Place)]
  ) -> [Stage] {
    steps.map { Stage(phase: phase, operation: $0.0, place: $0.1) }
  }
}
