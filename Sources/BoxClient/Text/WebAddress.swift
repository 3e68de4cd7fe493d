/// An `http` or `https` URL, read strictly: one that two parsers could read differently is none.
///
/// Only printable ASCII, no credentials, no backslash, a plain host name or a bracketed IPv6
/// address; a fragment is dropped.
public struct WebAddress: Hashable, Sendable {
  public var isSecure: Bool
  /// Lower case; an IPv6 address without its brackets.
  public var host: String
  /// Nil where the URL names none.
  public var port: Int?
  /// Path and query, beginning with `/`.
  public var target: String

  /// Nil for anything that is no such URL.
  public init?(_ text: String) {
    guard text.utf8.count <= 8192, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }),
      let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://")
    else { return nil }
    switch text[..<colon].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    // Byte by byte, since every request comes through here.
    let rest = text[colon...].dropFirst(3).utf8.prefix { $0 != UInt8(ascii: "#") }
    let authority = Substring(rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") })
    guard let (host, port) = Self.hostAndPort(authority) else { return nil }
    self.host = host
    self.port = port
    let target = Substring(rest[authority.endIndex...])
    self.target = target.hasPrefix("/") ? String(target) : "/" + target
  }

  /// The URL as text, in the form that goes to the HTTP library.
  public var text: String { origin + target }

  /// Scheme, host and, if it isn't the scheme's own, port: `https://api.box.com`.
  public var origin: String {
    let name = host.contains(":") ? "[\(host)]" : host
    let suffix = port.flatMap { $0 == (isSecure ? 443 : 80) ? nil : ":\($0)" } ?? ""
    return "\(isSecure ? "https" : "http")://\(name)\(suffix)"
  }

  /// `localhost`, 127.0.0.0/8 and `::1`: traffic that stays on this machine.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func hostAndPort(_ authority: Substring) -> (host: String, port: Int?)? {
    var host = authority
    var port: Substring?
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      host = authority[authority.index(after: authority.startIndex)..<close]
      let rest = authority[authority.index(after: close)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty { port = rest.dropFirst() }
      guard host.contains(":"), host.utf8.allSatisfy({ isAddressByte($0) }) else { return nil }
    } else {
      if let colon = authority.firstIndex(of: ":") {
        host = authority[..<colon]
        port = authority[authority.index(after: colon)...]
      }
      guard !host.isEmpty, host.utf8.count <= 253, !host.hasPrefix("."),
        host.utf8.allSatisfy({ isNameByte($0) })
      else { return nil }
    }
    guard let port else { return (host.lowercased(), nil) }
    guard port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(port), number > 0 else {
      return nil
    }
    return (host.lowercased(), Int(number))
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
    default: false
    }
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3A, 0x41...0x46, 0x61...0x66, UInt8(ascii: "."): true
    default: false
    }
  }
}
