/// Something a client of Box must not do.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable {
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

  public var kind: Kind
  public var detail: String

  public var description: String { "\(kind.rawValue): \(detail)" }
}
