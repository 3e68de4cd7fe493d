extension Coverage {
  /// The stages of the store's work, in their order. A simulation that misses one, or meets one that is
  /// not among them, says so.
  static let stages: [Stage] =
    make(.recovery, [(.open, .root)])

  private static func make(
    _ phase: Stage.Phase, _ steps: [(Stage.Operation, Stage.Place)]
  ) -> [Stage] {
    steps.map { Stage(phase: phase, operation: $0.0, place: $0.1) }
  }
}
