/// A condition did not become true in time.
struct TimedOut: Error, CustomStringConvertible {
  var description: String
}

/// Returns as soon as the condition holds. Another process can only be asked again and again.
/// - Parameter limit: far beyond what it takes; only a hang gets there.
/// - Throws: ``TimedOut``, naming what was waited for.
func eventually(
  _ what: @autoclosure () -> String, within limit: Duration = .seconds(300),
  _ isMet: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !isMet() {
    guard ContinuousClock.now < deadline else {
      throw TimedOut(description: "waited \(limit) for: \(what())")
    }
    try await Task.sleep(for: .milliseconds(10))
  }
}
