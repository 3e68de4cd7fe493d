/// The four places of Box a client talks to.
package enum SimulatedEndpoint: String, Sendable, CaseIterable {
  /// `POST /oauth2/token`
  case token
  /// `OPTIONS /2.0/events`
  case options
  /// `GET /2.0/events`
  case events
  /// `GET /subscribe`, the realtime server
  case poll
}
