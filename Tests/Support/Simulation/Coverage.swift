/// Which faults were injected at which stages.
struct Coverage: Sendable {
  private(set) var counts: [Int: Int] = [:]

  mutating func add(_ injected: [(stage: Stage, fault: Fault)]) {
    for (stage, fault) in injected { counts[Self.code(stage, fault), default: 0] += 1 }
  }

  mutating func merge(_ other: Coverage) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  func count(_ stage: Stage, _ fault: Fault) -> Int { counts[Self.code(stage, fault)] ?? 0 }

  private static func code(_ stage: Stage, _ fault: Fault) -> Int {
    stage.code * Fault.allCases.count + fault.rawValue
  }

  /// Every stage of a commit and of a recovery, with every fault that can inject it.
  static let required: [(stage: Stage, fault: Fault)] = stages.flatMap { stage in
    Fault.allCases.filter { $0.canInject(stage.operation) }.map { (stage, $0) }
  }

  /// What all runs together must have injected and have not.
  var missing: [(stage: Stage, fault: Fault)] {
    Self.required.filter { count($0.stage, $0.fault) == 0 }
  }

  /// A line for each stage, a column for each fault: how often each was injected, `.` where it can't be.
  var table: String {
    let width = 7
    let pad = { (text: String) in String(repeating: " ", count: max(0, width - text.count)) + text }
    var lines = [
      String(repeating: " ", count: 34) + Fault.allCases.map { pad($0.name) }.joined()
    ]
    for stage in Self.stages {
      let name = stage.description
      let cells = Fault.allCases.map { pad($0.canInject(stage.operation) ? "\(count(stage, $0))" : ".") }
      lines.append(name + String(repeating: " ", count: max(1, 34 - name.count)) + cells.joined())
    }
    return lines.joined(separator: "\n")
  }
}
