/// A part of the daemon that must accept any bytes, and what must hold afterwards.
///
/// The same checks run over the corpus and its mutations in the ordinary tests, and under libFuzzer with
/// `packaging/tools/fuzz`.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A page of events, as Box might answer.
  case page
  /// What an earlier run might have left on the disk; the input is a ``RecoveryScene``.
  case recovery
  /// The other answers: OPTIONS, replies, errors; and what of them is shown to people.
  case answers

  /// What is wrong with what became of the input, for people; nothing if all is well. A trap or a hang are
  /// the other ways to fail.
  package func violations(_ input: [UInt8]) async -> [String] {
    switch self {
    case .page: PageCheck(input).violations
    case .recovery: await RecoveryCheck(input).violations()
    case .answers: AnswersCheck(input).violations
    }
  }
}
