/// The URL of a server, taken apart and held to what the daemon can use: http or https, a host,
/// perhaps a port and a path. No user, password, query or fragment.
public struct ServerURL: Hashable, Sendable, CustomStringConvertible {
  public enum Scheme: String, Hashable, Sendable {
    case http
    case https
  }

  public let scheme: Scheme
  /// Lower case, an IPv6 address without its brackets.
  public let host: String
  public let port: Int?
  /// Empty, or begins with `/` and doesn't end with one.
  public let path: String

  init(scheme: Scheme, host: String, port: Int? = nil, path: String = "") {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
  }

  /// Nil for anything that is no such URL.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let colon = text.firstIndex(of: ":"),
      let scheme = Scheme(rawValue: text[..<colon].lowercased()),
      text[colon...].hasPrefix("://")
    else { return nil }
    let rest = text[colon...].dropFirst(3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    var path = rest.dropFirst(authority.count)
    guard !authority.contains("@"), !path.contains("?"), !path.contains("#"),
      let (host, port) = Self.hostAndPort(authority), port != 0
    else { return nil }
    while path.last == "/" { path = path.dropLast() }
    self.init(scheme: scheme, host: host, port: port, path: String(path))
  }

  /// The same text for the same server and path; no slash at the end.
  public var description: String { origin + path }

  /// Scheme, host and, if it isn't the scheme's own, the port: `https://api.box.com`.
  public var origin: String {
    let name = host.contains(":") ? "[\(host)]" : host
    let isUsual = port == nil || port == (scheme == .https ? 443 : 80)
    return "\(scheme.rawValue)://\(name)" + (isUsual ? "" : port.map { ":\($0)" } ?? "")
  }

  /// On this machine, where http is good enough.
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || (host.hasPrefix("127.") && Self.isIPv4(host[...]))
  }
}

extension ServerURL {
  /// Splits `host`, `host:port` or `[address]:port`; nil if the host or port is none.
  static func hostAndPort(_ text: some StringProtocol) -> (host: String, port: Int?)? {
    let lower = text.lowercased()
    let isBracketed = lower.hasPrefix("[")
    let host = isBracketed ? lower.dropFirst().prefix { $0 != "]" } : lower.prefix { $0 != ":" }
    var rest = lower.dropFirst(host.count)
    if isBracketed {
      guard rest.dropFirst().first == "]" else { return nil }
      rest = rest.dropFirst(2)
    }
    guard isBracketed ? isIPv6(host) : isHostName(host) else { return nil }
    if rest.isEmpty { return (String(host), nil) }
    let digits = rest.dropFirst()
    guard rest.first == ":", (1...5).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
      let port = Int(digits), port <= 65_535
    else { return nil }
    return (String(host), port)
  }

  /// Labels of letters, digits, `-` and `_`, with dots between: names and IPv4 addresses.
  static func isHostName(_ text: Substring) -> Bool {
    (1...253).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
      }
  }

  static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isNumber } && UInt8($0) != nil }
  }

  /// By its characters; the resolver judges the rest.
  static func isIPv6(_ text: Substring) -> Bool {
    (2...45).contains(text.utf8.count) && text.count { $0 == ":" } >= 2
      && text.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
  }
}
