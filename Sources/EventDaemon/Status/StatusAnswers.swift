import BoxEvents
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What the local endpoint answers: `/status`, `/metrics`, `/healthz` and a page at `/`.
struct StatusAnswers: Sendable {
  /// Called for every request, from any thread; must not block.
  let snapshot: @Sendable () -> DaemonSnapshot
  /// Whom it answers; nil on the socket, which no browser reaches.
  let hostCheck: HostCheck?

  func answer(to request: Request) -> Response {
    var response = hostCheck?.refusal(of: request) ?? answer(request.method, path: request.uri.path)
    response.headers[.date] = UTCDate(secondsSince1970: LocalTime.now)?.httpDate
    // Its length stays. See RFC 9110, 9.3.2.
    if request.method == .head { response.body = ResponseBody() }
    return response
  }

  private func answer(_ method: HTTPRequest.Method, path: String) -> Response {
    switch path {
    case "/", "/status", "/metrics", "/healthz":
      guard method == .get || method == .head else { return .text("only GET and HEAD\n", .methodNotAllowed) }
    default: return .text("not here: see /, /status, /metrics and /healthz\n", .notFound)
    }
    let snapshot = snapshot()
    switch path {
    case "/status": return .text(StatusReport(snapshot).json, type: "application/json")
    case "/metrics": return .text(PrometheusText(snapshot).text, type: PrometheusText.contentType)
    case "/healthz":
      let health = Health(snapshot)
      return .text(health.reason + "\n", health.isHealthy ? .ok : .serviceUnavailable)
    default:
      var response = Response.text(
        StatusPage.html(snapshot, now: LocalTime.now), type: "text/html; charset=utf-8")
      response.headers[.contentSecurityPolicy] = StatusPage.contentSecurityPolicy
      return response
    }
  }
}

extension Response {
  static func text(
    _ text: String, _ status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
  ) -> Response {
    var headers: HTTPFields = [
      .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
    ]
    if status == .methodNotAllowed { headers[.allow] = "GET, HEAD" }
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
