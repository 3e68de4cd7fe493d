import BoxEvents
import HTTPTypes
import HummingbirdCore

/// Answers only requests for an address, `localhost` or the configured host.
///
/// Without it, any web page could read the status with the browser of someone who can reach it: it lets a name of its
/// own resolve to this address (DNS rebinding), and that name is what the browser sends as `Host`. Without a `Host`,
/// as a plain health check of HTTP/1.0 sends, no browser has asked.
struct HostCheck: Sendable {
  static let refusal =
    "not for this Host: ask by IP address, as localhost, or by the host of listen in [status]\n"

  static let ambiguity = "more than one Host\n"

  /// The host of the address that is listened on, in lower case and without brackets.
  let host: String

  /// The answer to a request for another host; nil for one that is to be answered.
  func refusal(of request: Request) -> Response? {
    // The first one is the authority, and no longer among the fields. See RFC 9112, 3.2.
    if HTTPField.Name("Host").map({ request.headers.contains($0) }) == true {
      return .text(Self.ambiguity, .badRequest)
    }
    return allows(request.head.authority) ? nil : .text(Self.refusal, .misdirectedRequest)
  }

  /// - Parameter authority: the request's `Host`, with or without a port.
  func allows(_ authority: String?) -> Bool {
    guard let authority else { return true }
    guard let (asked, _) = WebHost.andPort(Substring(authority)) else { return false }
    return asked == host || asked == "localhost" || WebHost.isIPv4(asked) || WebHost.isIPv6(asked)
  }
}
