/// What happens in a run, a line each, where it is wanted.
final class Trace: @unchecked Sendable {
  let isOn: Bool
  private(set) var lines: [String] = []

  init(isOn: Bool) {
    self.isOn = isOn
  }

  func add(_ line: @autoclosure () -> String) {
    if isOn { lines.append(line()) }
  }
}
