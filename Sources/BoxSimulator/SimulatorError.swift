/// What can go wrong with the simulator itself, as opposed to the faults it plays.
package struct SimulatorError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable {
    /// The address could not be listened on.
    case cannotListen
    /// A fault, rate or option written as text could not be read.
    case badText
  }

  package var code: Code
  package var message: String
  package var hint: String
  package var underlying: (any Error)?

  init(_ code: Code, _ message: String, hint: String, underlying: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.underlying = underlying
  }

  package var description: String { "\(message)\n\(hint)" }
}
