/// What can go wrong with the simulator itself, as opposed to the faults it plays.
public struct SimulatorError: Error, Sendable, CustomStringConvertible {
  public enum Code: Sendable {
    /// The address could not be listened on.
    case cannotListen
    /// A fault, rate or option written as text could not be read.
    case badText
  }

  public var code: Code
  public var message: String
  public var hint: String
  public var underlying: (any Error)?

  init(_ code: Code, _ message: String, hint: String, underlying: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.underlying = underlying
  }

  public var description: String { "\(message)\n\(hint)" }
}
