/// What was measured, by contender; some parts don't measure all.
struct Turns<Result> {
  var results: [Contender: [Result]] = [:]

  /// All contenders once.
  mutating func take(_ contenders: [Contender], _ measure: (Contender) throws -> Result) rethrows {
    for contender in contenders { results[contender, default: []].append(try measure(contender)) }
  }

  func median(_ metric: (Result) -> Double) -> Sides {
    func one(_ contender: Contender) -> Double? {
      results[contender].map { percentile(50, of: $0.map(metric)) }
    }
    return Sides(daemon: one(.daemon) ?? .nan, baseline: one(.floor), tls: one(.daemonOverTLS))
  }
}

/// A number of each contender.
struct Sides {
  var daemon: Double
  var baseline: Double?
  var tls: Double?
}
