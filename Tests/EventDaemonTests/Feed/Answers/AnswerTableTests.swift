import Testing

/// Answers of Box, or of anything between: for each what is spooled, quarantined, saved and reported, and
/// that the stream goes on from there and misses nothing.
@Suite(.timeLimit(.minutes(10))) struct AnswerTableTests {
  static let table =
    AnswerTable.positions + AnswerTable.pages + AnswerTable.entries + AnswerTable.texts
    + AnswerTable.transfers
    + AnswerTable.statuses + AnswerTable.subscriptions + AnswerTable.realtimeURLs + AnswerTable.polls

  @Test(arguments: table)
  func answer(row: AnswerRow) async throws {
    try await AnswerRun(row)()
  }

  @Test func namesAreUnique() {
    #expect(Set(Self.table.map(\.testDescription)).count == Self.table.count)
    #expect(Self.table.count >= 200)
  }
}

/// The rows, by subject: an extension each.
enum AnswerTable {}
