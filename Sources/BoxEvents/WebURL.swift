/// An `http` or `https` URL, parsed strictly: one that two parsers could read differently is refused.
///
/// Only printable ASCII, no user or password, no backslash, a plain host name or a bracketed IPv6 address. A
/// fragment is dropped. The configuration, the identity of a feed, every request and the list of allowed
/// realtime hosts use this one type, so that they can't disagree on what a text means.
/// Source: RFC 3986, section 3.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
  package enum Scheme: String, Hashable, Sendable {
    case http
    case https

    package var defaultPort: Int { self == .https ? 443 : 80 }
  }

  /// Where a URL leads: whoever gets a request, a token or a name in a digest is one of these.
  package struct Origin: Hashable, Sendable, CustomStringConvertible {
    package var scheme: Scheme
    /// Lower case; an IPv6 address without its brackets.
    package var host: String
    package var port: Int

    /// - Parameter host: lower case; an IPv6 address without its brackets.
    package init(scheme: Scheme, host: String, port: Int? = nil) {
      self.scheme = scheme
      self.host = host
      self.port = port ?? scheme.defaultPort
    }

    /// The port only where it isn't the scheme's own: `https://api.box.com`, `http://[::1]:8080`.
    package var description: String {
      "\(scheme.rawValue)://\(address)"
    }

    /// What a connection is made to: `api.box.com`, `[::1]:8080`.
    package var address: String {
      let name = host.contains(":") ? "[\(host)]" : host
      return name + (port == scheme.defaultPort ? "" : ":\(port)")
    }

    /// `localhost`, 127.0.0.0/8 or `::1`: traffic that stays on this machine.
    package var isLoopback: Bool {
      host == "localhost" || host == "::1" || (WebHost.isIPv4(host) && host.hasPrefix("127."))
    }
  }

  package var origin: Origin
  /// Path and query, beginning with `/`.
  package var target: String
  /// Whether the text names a port.
  package let hasPort: Bool

  package var scheme: Scheme { origin.scheme }
  package var host: String { origin.host }
  package var port: Int { origin.port }
  package var isLoopback: Bool { origin.isLoopback }
  /// Whether secrets may be sent there: over TLS, or without leaving this machine.
  package var isConfidential: Bool { scheme == .https || isLoopback }
  package var description: String { origin.description + target }

  /// Long enough for a realtime server's URL with its channel; a request line of this length is accepted by
  /// common servers (RFC 9112, section 3: 8000 octets).
  private static let maximumLength = 8192

  /// - Parameter path: begins with `/`.
  package init(_ origin: Origin, path: String) {
    self.origin = origin
    target = path
    hasPort = origin.port != origin.scheme.defaultPort
  }

  /// Nil for anything that is not such a URL.
  package init?(_ text: some StringProtocol) {
    let text = Substring(text)
    guard text.utf8.count <= Self.maximumLength,
      text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }),
      let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://"),
      let scheme = Scheme(rawValue: text[..<colon].lowercased())
    else { return nil }
    // Byte by byte, since every request comes through here.
    let rest = text[colon...].dropFirst(3).utf8.prefix { $0 != UInt8(ascii: "#") }
    let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    guard let address = WebHost.andPort(Substring(authority)), address.port != 0 else { return nil }
    let target = String(Substring(rest[authority.endIndex...]))
    origin = Origin(scheme: scheme, host: address.host, port: address.port)
    hasPort = address.port != nil
    self.target = target.hasPrefix("/") ? target : "/" + target
  }

  /// The URL of something below this one: `/events` below `https://api.box.com/2.0/`.
  package func appending(path: String) -> WebURL {
    var url = removingTrailingSlashes()
    url.target = url.target == "/" ? path : url.target + path
    return url
  }

  /// One text for one server: `https://api.box.com/2.0` also for `https://api.box.com/2.0/`.
  package func removingTrailingSlashes() -> WebURL {
    var url = self
    while url.target.count > 1, url.target.hasSuffix("/") { url.target.removeLast() }
    return url
  }
}

/// Host names and addresses as they are written in URLs, in `listen` and in `realtime_hosts`.
package enum WebHost {
  /// Splits `host`, `host:port` or `[address]:port`; port 0 is for listening only.
  /// - Returns: the host in lower case and without brackets; nil if the host or the port is not valid.
  package static func andPort(_ text: Substring) -> (host: String, port: Int?)? {
    let lower = text.lowercased()
    let host: Substring
    let rest: Substring
    if lower.hasPrefix("[") {
      guard let close = lower.firstIndex(of: "]") else { return nil }
      host = lower[..<close].dropFirst()
      rest = lower[close...].dropFirst()
      guard isIPv6(host) else { return nil }
    } else {
      host = lower.prefix { $0 != ":" }
      rest = lower[host.endIndex...]
      guard isName(host) else { return nil }
    }
    if rest.isEmpty { return (String(host), nil) }
    let digits = rest.dropFirst()
    guard rest.first == ":", 1...5 ~= digits.utf8.count, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
      let port = UInt16(digits)
    else { return nil }
    return (String(host), Int(port))
  }

  /// Labels of letters, digits, `-` and `_` with dots between: names and IPv4 addresses.
  package static func isName(_ text: some StringProtocol) -> Bool {
    1...253 ~= text.utf8.count
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        1...63 ~= label.utf8.count && label.utf8.allSatisfy(isNameByte)
      }
  }

  package static func isIPv4(_ text: some StringProtocol) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } && UInt8($0) != nil }
  }

  /// By its characters; the resolver decides on the rest.
  package static func isIPv6(_ text: some StringProtocol) -> Bool {
    2...45 ~= text.utf8.count && text.count { $0 == ":" } >= 2
      && text.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}
