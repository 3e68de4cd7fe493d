import BoxEvents
import NIOHTTP1
import Testing

@testable import BoxClient

@Suite struct HTTPAnswerTests {
  func refusal(_ status: Int, _ body: String = "", _ headers: HTTPHeaders = [:]) -> FeedFailure {
    HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)).refusal(
      from: .events, hiding: [Secret("CANARY")])
  }

  @Test(arguments: [
    (301, FeedFailure.Code.serverError), (400, .refused), (401, .unauthorized), (403, .forbidden),
    (404, .refused),
    (405, .refused), (407, .unreachable), (408, .serverError), (425, .serverError), (429, .throttled),
    (500, .serverError), (502, .serverError), (503, .serverError), (599, .serverError), (204, .serverError),
    (202, .serverError),
  ])
  func everyStatusHasACode(_ status: Int, _ code: FeedFailure.Code) {
    #expect(refusal(status).code == code)
    #expect(refusal(status).status == status)
    let reason = status == 401 ? ": the access token is refused" : ""
    #expect(refusal(status).message == "Box answered \(status)\(reason)")
  }

  @Test func aWrongPathHasAHint() {
    func hint(_ endpoint: HTTPCall.Endpoint) -> String? {
      HTTPAnswer(status: 404, headers: [:], body: []).refusal(from: endpoint, hiding: []).hint
    }
    #expect(hint(.events)?.contains("api_url") == true)
    #expect(hint(.options)?.contains("api_url") == true)
    #expect(hint(.token)?.contains("token_url") == true)
    #expect(hint(.poll(retryTimeout: .zero)) == nil)
  }

  @Test(arguments: [
    (401, HTTPCall.Endpoint.token, "client_id"), (403, .token, "A proxy"), (503, .token, "status.box.com"),
    (502, .events, "status.box.com"), (504, .options, "the proxy"),
  ])
  func whatMayBeAProxysHasARemedy(_ status: Int, _ endpoint: HTTPCall.Endpoint, _ remedy: String) {
    let answer = HTTPAnswer(status: status, headers: [:], body: Array("<html>".utf8))
    #expect(answer.refusal(from: endpoint, hiding: []).hint?.contains(remedy) == true)
  }

  @Test func quotesBoxErrors() {
    let failure = refusal(
      403,
      #"{"type":"error","status":403,"code":"access_denied","message":"No \u001b[31mCANARY","request_id":"r9"}"#,
      ["box-request-id": "other"])
    #expect(failure.message == #"Box answered 403 (access_denied): No \u{1B}[31m<redacted>"#)
    #expect(failure.requestID == "r9")
  }

  @Test func quotesOAuthErrors() {
    let failure = refusal(400, #"{"error":"invalid_grant","error_description":"Refresh token has expired"}"#)
    #expect(failure.message == "Box answered 400 (invalid_grant): Refresh token has expired")
  }

  @Test func doesNotQuoteGatewayErrors() {
    let failure = refusal(502, "<html>CANARY</html>", ["BOX-Request-Id": "r1\u{7F}"])
    #expect(failure.message == "Box answered 502")
    #expect(failure.requestID == #"r1\u{7F}"#)
  }

  @Test func cutsLongMessages() {
    let failure = refusal(400, #"{"message":"\#(String(repeating: "m", count: 1000))"}"#)
    #expect(failure.message.count < 230)
  }

  @Test func countsRetryAfterFromTheAnswersDate() {
    let failure = refusal(
      503, "", ["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "RETRY-AFTER": "Sun, 06 Nov 1994 08:50:07 GMT"])
    #expect(failure.retryAfter == .seconds(30))
    #expect(refusal(429, "", ["retry-after": "-1"]).retryAfter == nil)
  }

  /// Its header is for programs.
  @Test func aBare401IsOfTheAccessToken() {
    let failure = refusal(
      401, "", ["WWW-Authenticate": #"Bearer realm="Service", error="invalid_token" CANARY"#])
    #expect(failure.message == "Box answered 401: the access token is refused")
    let ofSignIn = HTTPAnswer(status: 401, headers: [:], body: []).refusal(from: .token, hiding: [])
    #expect(ofSignIn.message == "the token endpoint answered 401")
  }
}

@Suite struct ExcerptTests {
  @Test func cutsExcerptsAndRedactsSecrets() {
    #expect(PlainText.excerpt(String(repeating: "x", count: 300)) == String(repeating: "x", count: 200) + "…")
    let secret = Secret("s e&cret")
    #expect(
      PlainText.excerpt("got s e&cret and s%20e%26cret", hiding: [secret]) == "got <redacted> and <redacted>")
    let long = String(repeating: "y", count: 190) + "s e&cret"
    #expect(!PlainText.excerpt(long, hiding: [secret]).contains("s e"))
    #expect(PlainText.excerpt("text", hiding: [Secret("")]) == "text")
  }
}

@Suite struct RetryAfterTests {
  let now = BoxTime(secondsSince1970: 784_111_777)

  @Test func readsSecondsAndDates() {
    #expect(RetryAfter.parse("  7", now: now) == .seconds(7))
    #expect(RetryAfter.parse("120", now: now) == .seconds(120))
    #expect(RetryAfter.parse(" 7 ", now: now) == nil)
    #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:50:37 GMT", now: now) == .seconds(60))
    #expect(RetryAfter.parse("Sunday, 06-Nov-94 08:49:47 GMT", now: now) == .seconds(10))
    #expect(RetryAfter.parse("Sun Nov  6 08:49:38 1994", now: now) == .seconds(1))
  }

  @Test func isBoundedToAnHour() {
    #expect(RetryAfter.parse("3601", now: now) == .seconds(3600))
    #expect(RetryAfter.parse("99999999999999999999999", now: now) == .seconds(3600))
    #expect(RetryAfter.parse("Sun, 06 Nov 2094 08:49:37 GMT", now: now) == .seconds(3600))
  }

  @Test(arguments: ["", "0", "-5", "1.5", "soon", "1e3", "Sun, 06 Nov 1993 08:49:37 GMT", "0x10"])
  func ignoresInvalidValuesAndThePast(_ text: String) {
    #expect(RetryAfter.parse(text, now: now) == nil)
  }
}
