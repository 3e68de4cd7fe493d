/// Something a client of Box must not do.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The bearer token was sent to a realtime server.
    case authorizationAtRealtime = "authorization-at-realtime"
    /// A position that no answer can have carried: changed on its way.
    case unknownPosition = "unknown-position"
    /// More unproductive reads of a feed within a second than allowed.
    case hotLoop = "hot-loop"
    /// The same `jti` in two assertions.
    case repeatedAssertion = "repeated-assertion"
    /// A refresh token that was spent already.
    case spentRefreshToken = "spent-refresh-token"
  }

  package var kind: Kind
  package var detail: String

  package var description: String { "\(kind.rawValue): \(detail)" }
}
