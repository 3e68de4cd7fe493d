import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The paths of the local endpoint and what each answers.
enum StatusRoutes {
  static func router(_ snapshot: @escaping @Sendable () -> DaemonSnapshot) -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.get("/status") { _, _ in
      answer(StatusReport(snapshot()).json, "application/json")
    }
    router.get("/metrics") { _, _ in
      answer(PrometheusText(snapshot()).text, PrometheusText.contentType)
    }
    router.get("/healthz") { _, _ in
      let health = Health(snapshot())
      let status: HTTPResponse.Status = health.isHealthy ? .ok : .serviceUnavailable
      return answer(health.reason + "\n", "text/plain; charset=utf-8", status)
    }
    router.get("/") { _, _ in
      let page = StatusPage.html(snapshot(), now: Date().timeIntervalSince1970)
      var response = answer(page, "text/html; charset=utf-8")
      response.headers[.contentSecurityPolicy] = StatusPage.contentSecurityPolicy
      return response
    }
    return router
  }

  private static func answer(
    _ text: String, _ type: String, _ status: HTTPResponse.Status = .ok
  ) -> Response {
    let headers: HTTPFields = [
      .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
    ]
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
