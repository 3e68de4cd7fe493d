/// A table of measurements: the daemon's, the floor's, and their ratio.
struct Table {
  private var lines: [String]

  init(_ title: String) {
    lines = ["", title, "  " + padded("", 28) + padded("daemon", 10) + padded("floor", 10) + "ratio"]
  }

  mutating func row<Result>(_ name: String, _ results: Sides<[Result]>, _ metric: ([Result]) -> Double) {
    let (daemon, floor) = (metric(results.daemon), metric(results.floor))
    lines.append(
      "  " + padded(name, 28) + padded(fixed(daemon, digits: 2), 10) + padded(fixed(floor, digits: 2), 10)
        + fixed(daemon / floor, digits: 2))
  }

  func print() {
    Swift.print(lines.joined(separator: "\n"))
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// A number with so many decimals.
func fixed(_ number: Double, digits: Int = 1) -> String {
  guard number.isFinite else { return "–" }
  var scale = 1
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int((number * Double(scale)).rounded())
  let fraction = String(scaled % scale)
  return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
}

func median(_ values: [Double]) -> Double { percentile(50, of: values) }

/// The value below which `percent` of the values are, by rank.
func percentile(_ percent: Int, of values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
}
