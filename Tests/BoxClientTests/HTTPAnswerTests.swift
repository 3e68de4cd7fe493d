import BoxEvents
import NIOHTTP1
import Testing

@testable import BoxClient

@Suite struct HTTPAnswerTests {
  func refusal(_ status: Int, _ body: String = "", _ headers: HTTPHeaders = [:]) -> FeedFailure {
    HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)).refusal(
      from: "Box", hiding: [Secret("CANARY")])
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
    #expect(refusal(status).message == "Box answered \(status)")
  }

  @Test func boxesErrorsAreQuoted() {
    let failure = refusal(
      403,
      #"{"type":"error","status":403,"code":"access_denied","message":"No \u001b[31mCANARY","request_id":"r9"}"#,
      ["box-request-id": "other"])
    #expect(failure.message == #"Box answered 403 (access_denied): No \u{1B}[31m<redacted>"#)
    #expect(failure.requestID == "r9")
  }

  @Test func gatewaysErrorsAreNot() {
    let failure = refusal(502, "<html>CANARY</html>", ["BOX-Request-Id": "r1\u{7F}"])
    #expect(failure.message == "Box answered 502")
    #expect(failure.requestID == #"r1\u{7F}"#)
  }

  @Test func aLongMessageIsCut() {
    let failure = refusal(400, #"{"message":"\#(String(repeating: "m", count: 1000))"}"#)
    #expect(failure.message.count < 230)
  }

  @Test func retryAfterCountsFromTheAnswersOwnDate() {
    let failure = refusal(
      503, "", ["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "RETRY-AFTER": "Sun, 06 Nov 1994 08:50:07 GMT"])
    #expect(failure.retryAfter == .seconds(30))
    #expect(refusal(429, "", ["retry-after": "-1"]).retryAfter == nil)
  }

  @Test func anUnauthorizedWithoutBodyHasItsReasonInAHeader() {
    let failure = refusal(
      401, "", ["WWW-Authenticate": #"Bearer realm="Service", error="invalid_token" CANARY"#])
    #expect(failure.message == #"Box answered 401: Bearer realm="Service", error="invalid_token" <redacted>"#)
  }
}
