/// What an implementation does against the contract of its protocol.
package struct ContractViolation: Error, CustomStringConvertible {
  package var description: String

  package static func require(
    _ condition: Bool, _ message: @autoclosure () -> String, line: Int = #line
  ) throws(ContractViolation) {
    if !condition { throw ContractViolation(description: "\(message()) (line \(line) of the contract)") }
  }

  package static func requireEqual<Value: Equatable>(
    _ found: Value, _ expected: Value, line: Int = #line
  ) throws(ContractViolation) {
    try require(found == expected, "\(found) instead of \(expected)", line: line)
  }
}
