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
    guard rest.first == ":", let port = port(rest.dropFirst()) else { return nil }
    return (String(host), port)
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

  private static func port(_ digits: Substring) -> Int? {
    guard 1...5 ~= digits.utf8.count, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits)
    else { return nil }
    return Int(port)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}
