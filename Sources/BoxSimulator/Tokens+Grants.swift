import BoxEvents

/// `POST /oauth2/token`, every grant.
///
/// Source: <https://developer.box.com/reference/post-oauth2-token/>
extension Tokens {
  /// Why no token is issued, in the token endpoint's form.
  struct Refusal: Error {
    var code: String
    var description: String

    static let invalidClient = Refusal(
      code: "invalid_client", description: "The client credentials are invalid")

    static func claim(_ name: String, _ reason: String) -> Self {
      Self(code: "invalid_grant", description: "Please check the '\(name)' claim. \(reason)")
    }

    var answer: Answer { .tokenRefusal(400, code, description) }
  }

  /// Issues or refuses a token.
  /// - Parameter now: seconds since 1970 by this Box's clock.
  mutating func grant(_ form: Query, now: Int64) -> Answer {
    do throws(Refusal) {
      switch form["grant_type"] {
      case "client_credentials": return answer(user: try clientCredentials(form))
      case "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return answer(user: try assertion(form, now: now))
      case "refresh_token": return answer(user: try refresh(form), withRefreshToken: true)
      case "authorization_code": return answer(user: try code(form), withRefreshToken: true)
      default:
        throw Refusal(
          code: "unsupported_grant_type", description: "Invalid grant_type parameter or parameter missing")
      }
    } catch {
      return error.answer
    }
  }

  private mutating func answer(user: String, withRefreshToken: Bool = false) -> Answer {
    var object = JSONObjectWriter()
    object.add("access_token", issue(user: user))
    object.add("token_type", "bearer")
    object.add("expires_in", credentials.tokenLifetime.components.seconds)
    object.add("restricted_to", raw: "[]")
    if withRefreshToken { object.add("refresh_token", issueRefreshToken(user: user)) }
    return .json(object.text)
  }

  private func checkClient(_ form: Query) throws(Refusal) {
    guard form["client_id"] == credentials.clientID, form["client_secret"] == credentials.clientSecret
    else { throw .invalidClient }
  }

  private func clientCredentials(_ form: Query) throws(Refusal) -> String {
    try checkClient(form)
    return try subject(type: form["box_subject_type"], id: form["box_subject_id"])
  }

  private func subject(type: String?, id: String?) throws(Refusal) -> String {
    guard let id,
      type == "user" && credentials.users.contains(id)
        || type == "enterprise" && id == credentials.enterpriseID
    else { throw Refusal(code: "invalid_grant", description: "Grant credentials are invalid") }
    return id
  }

  private mutating func assertion(_ form: Query, now: Int64) throws(Refusal) -> String {
    try checkClient(form)
    let claims = try Assertion(form["assertion"] ?? "", credentials: credentials).claims
    guard claims.iss == credentials.clientID else { throw .claim("iss", "The client id is expected.") }
    guard claims.aud == audience else { throw .claim("aud", "\(audience) is expected.") }
    guard claims.exp > now else {
      throw .claim(
        "exp",
        "Current date time MUST be before the expiration date time listed in the 'exp' claim.")
    }
    guard claims.exp <= now + 60 else {
      throw .claim("exp", "The expiration MUST be no more than 60 seconds ahead.")
    }
    guard (16...128).contains(claims.jti.utf8.count), isNew(assertionID: claims.jti) else {
      throw .claim("jti", "A unique 'jti' value is required.")
    }
    return try subject(type: claims.subjectType, id: claims.sub)
  }

  private mutating func refresh(_ form: Query) throws(Refusal) -> String {
    try checkClient(form)
    guard let token = form["refresh_token"], let user = spend(refreshToken: token) else {
      throw Refusal(code: "invalid_grant", description: "Refresh token has expired")
    }
    return user
  }

  private mutating func code(_ form: Query) throws(Refusal) -> String {
    try checkClient(form)
    guard let code = form["code"], let user = spend(code: code) else {
      throw Refusal(code: "invalid_grant", description: "The authorization code has expired")
    }
    return user
  }
}
