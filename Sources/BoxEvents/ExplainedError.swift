/// An error that says what happened and what to do about it. Every error type of this package is one.
package protocol ExplainedError: Error {
  /// What happened to what, with the value and where it came from. One line, no secrets, no full stop:
  /// `cannot sync /var/spool/box-eventd/default/events-0.ndjson: Input/output error`.
  var message: String { get }
  /// What to do: sentences that begin with a capital letter and end with a full stop. Nil where there is nothing
  /// to do but wait.
  var hint: String? { get }
}

extension ExplainedError {
  /// Both in one line: `the token is refused. Run: box-eventd login.`
  package var explanation: String { hint.map { "\(message). \($0)" } ?? message }
}
