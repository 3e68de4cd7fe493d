import BoxEvents
import NIOCore

/// The grants of a simulated Box: how a client gets an access token.
extension SimulatorState {
  private enum Grant: String {
    case clientCredentials = "client_credentials"
    case assertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    case refreshToken = "refresh_token"
    case authorizationCode = "authorization_code"
  }

  /// `POST /oauth2/token`, <https://developer.box.com/reference/post-oauth2-token/>
  mutating func token(_ request: Request) throws(Refusal) -> Answer {
    let form = Query(String(buffer: request.body))
    if let token = form["refresh_token"], tokens.spentRefreshTokens.contains(token) {
      record(.spentRefreshToken, "a refresh token was used again")
    }
    guard let grant = Grant(rawValue: form["grant_type"] ?? "") else {
      throw .grant("Invalid grant_type parameter or parameter missing", code: "unsupported_grant_type")
    }
    guard form["client_id"] == credentials.clientID, form["client_secret"] == credentials.clientSecret else {
      throw .grant("The client credentials are invalid", code: "invalid_client")
    }
    switch grant {
    case .clientCredentials:
      return answer(user: try subject(type: form["box_subject_type"], id: form["box_subject_id"]))
    case .assertion: return answer(user: try subject(ofAssertion: form["assertion"] ?? ""))
    case .refreshToken:
      guard let user = tokens.spend(refreshToken: form["refresh_token"] ?? "") else {
        throw .grant("Refresh token has expired")
      }
      return answer(user: user, withRefreshToken: true)
    case .authorizationCode:
      guard let user = tokens.codes.removeValue(forKey: form["code"] ?? "") else {
        throw .grant("The authorization code has expired")
      }
      return answer(user: user, withRefreshToken: true)
    }
  }

  private var credentials: SimulatorOptions.Credentials { options.credentials }

  private mutating func answer(user: String, withRefreshToken: Bool = false) -> Answer {
    var object = JSONObjectWriter()
    object.add("access_token", tokens.issue(user: user))
    object.add("token_type", "bearer")
    object.add("expires_in", credentials.tokenLifetime.components.seconds)
    object.add("restricted_to", raw: "[]")
    if withRefreshToken { object.add("refresh_token", tokens.issueRefreshToken(user: user)) }
    return .json(object.text)
  }

  private func subject(type: String?, id: String?) throws(Refusal) -> String {
    guard let id,
      type == "user" && credentials.users.contains(id)
        || type == "enterprise" && id == credentials.enterpriseID
    else { throw .grant("Grant credentials are invalid") }
    return id
  }

  private mutating func subject(ofAssertion text: String) throws(Refusal) -> String {
    let claims = try Assertion(verifying: text)
    guard claims.iss == credentials.clientID else { throw .claim("iss", "The client id is expected.") }
    guard claims.aud == tokens.audience else { throw .claim("aud", "\(tokens.audience) is expected.") }
    let now = clock.now.secondsSince1970
    guard claims.exp > now else {
      throw .claim(
        "exp", "Current date time MUST be before the expiration date time listed in the 'exp' claim.")
    }
    guard claims.exp <= now + 60 else {
      throw .claim("exp", "The expiration MUST be no more than 60 seconds ahead.")
    }
    guard (16...128).contains(claims.jti.utf8.count), tokens.assertionIDs.insert(claims.jti).inserted else {
      record(.repeatedAssertion, "an assertion's jti was used before, or is too short or long")
      throw .claim("jti", "A unique 'jti' value is required.")
    }
    return try subject(type: claims.subjectType, id: claims.sub)
  }
}
