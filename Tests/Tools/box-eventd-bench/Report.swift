import Glibc
import TestSystem

/// Prints the rows of the measurements, and counts the goals that are met.
struct Report {
  enum Goal {
    /// The measurement itself is at most this.
    case value(Double)
    /// The measurement is at most so many times the baseline.
    case ratio(Double)
  }

  private static let widths = (name: 42, number: 11, goal: 17)

  private let comparesGoals: Bool
  private var goals = 0
  private var met = 0
  private var failures = 0
  private let start = MonotonicTime.now

  init(comparesGoals: Bool) { self.comparesGoals = comparesGoals }

  /// Runs one part. The others follow even if it can't be run.
  mutating func measure(_ part: (inout Report) throws -> Void) {
    let start = MonotonicTime.now
    do {
      try part(&self)
      note("(in \(Self.seconds(since: start)) s)")
    } catch {
      failures += 1
      note("FAILED after \(Self.seconds(since: start)) s: \(error)")
    }
  }

  private static func seconds(since start: UInt64) -> String {
    fixed(Double(MonotonicTime.now - start) / 1e9, digits: 0)
  }

  func section(_ title: String, baseline: String = "C client") {
    let columns = ["daemon", baseline, "ratio", "with TLS"].map { padded($0, Self.widths.number) }
    print("\n\(title)")
    print("  " + padded("", Self.widths.name) + columns.joined() + padded("goal", Self.widths.goal) + "met")
    fflush(nil)
  }

  func note(_ text: String) {
    print("  \(text)")
    fflush(nil)
  }

  /// - Parameter digits: after the decimal point.
  mutating func row(_ name: String, _ sides: Sides, digits: Int = 2, goal: Goal? = nil) {
    let ratio = sides.baseline.map { sides.daemon / $0 }
    let numbers = [
      fixed(sides.daemon, digits: digits), sides.baseline.map { fixed($0, digits: digits) },
      ratio.map { fixed($0, digits: 2) }, sides.tls.map { fixed($0, digits: digits) },
    ]
    var line = "  " + padded(name, Self.widths.name)
    for number in numbers { line += padded(number ?? "", Self.widths.number) }
    if let goal { line += compare(goal, sides.daemon, ratio, digits) }
    print(line)
    fflush(nil)
  }

  private mutating func compare(_ goal: Goal, _ measured: Double, _ ratio: Double?, _ digits: Int) -> String {
    let (text, isMet) =
      switch goal {
      case .value(let limit): ("≤ \(fixed(limit, digits: digits))", measured <= limit)
      case .ratio(let limit): ("ratio ≤ \(fixed(limit, digits: 2))", (ratio ?? .infinity) <= limit)
      }
    guard comparesGoals else { return padded(text, Self.widths.goal) + "–" }
    goals += 1
    met += isMet ? 1 : 0
    return padded(text, Self.widths.goal) + (isMet ? "yes" : "NO")
  }

  /// - Returns: whether every part could be run.
  func end() -> Bool {
    let parts = failures == 0 ? "Every part has run" : "\(failures) of the parts could not be run"
    print(
      "\n\(parts); " + (comparesGoals ? "\(met) of \(goals) goals are met." : "no goal was compared.")
        + " (\(Self.seconds(since: start)) s)")
    return failures == 0
  }
}

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

/// A number with so many decimals.
func fixed(_ number: Double, digits: Int = 1) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = (abs(number) * scale).rounded()
  guard scaled < 1e15 else { return "–" }
  let fraction = String(Int(scaled) % Int(scale))
  let sign = number < 0 && scaled > 0 ? "-" : ""
  let integer = "\(sign)\(Int(scaled) / Int(scale))"
  return digits == 0
    ? integer : integer + "." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// The value below which `percent` of the values are, by rank.
func percentile(_ percent: Int, of values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
}
