import BoxEvents
import Hummingbird
import NIOCore

/// Answers only requests for an address, `localhost` or the configured host.
///
/// Without it, any web page could read the status with the browser of someone who can reach it: it lets a name of its
/// own resolve to this address (DNS rebinding), and that name is what the browser sends as `Host`. Without a `Host`,
/// as a plain health check of HTTP/1.0 sends, no browser has asked.
struct HostCheck: RouterMiddleware {
  static let refusal =
    "not for this Host: ask by IP address, as localhost, or by the host of listen in [status]\n"

  /// The host of the address that is listened on, in lower case and without brackets.
  let host: String

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    if allows(request.head.authority) { return try await next(request, context) }
    return Response(
      status: .misdirectedRequest,
      headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: Self.refusal)))
  }

  /// - Parameter authority: the request's `Host`, with or without a port.
  func allows(_ authority: String?) -> Bool {
    guard let authority else { return true }
    guard let (asked, _) = WebHost.andPort(Substring(authority)) else { return false }
    return asked == host || asked == "localhost" || WebHost.isIPv4(asked) || WebHost.isIPv6(asked)
  }
}
