import BoxEvents

/// A number of bytes, never negative. In text: `64MiB`, `1GB`, `4096`.
package struct ByteCount: Hashable, Comparable, Sendable {
  package let bytes: Int64

  /// Negative numbers count as zero.
  package init(_ bytes: Int64) { self.bytes = max(bytes, 0) }

  /// Reads digits and a unit: none or `B`, the binary `KiB` to `TiB`, the decimal `KB` to `TB`.
  /// Nil for anything else, and above 2^63-1 bytes.
  package init?(_ text: some StringProtocol) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let number = Int64(digits),
      let factor = unit.isEmpty ? 1 : Self.units.first(where: { $0.name == unit })?.bytes
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    bytes = product
  }

  package static func kibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 10) }
  package static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 20) }
  package static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 30) }
  package static func tebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 40) }

  package static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

  private static let units: [(name: String, bytes: Int64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
  ]
}

extension ByteCount: CustomStringConvertible {
  /// In the largest binary unit that gives a whole number: `64MiB`, `1000B`, `0`.
  package var description: String {
    guard bytes > 0 else { return "0" }
    let unit = Self.units.first { $0.name.hasSuffix("iB") && bytes % $0.bytes == 0 }
    return unit.map { "\(bytes / $0.bytes)\($0.name)" } ?? "\(bytes)B"
  }
}

extension Duration {
  /// Reads a duration as the configuration writes it: a whole number of `s`, `m`, `h`, `d` or `w`, or `0`.
  /// Nil for anything else, and above 100 years.
  init?(configured text: some StringProtocol) {
    guard text != "0" else {
      self = .zero
      return
    }
    let digits = text.dropLast()
    guard let unit = Self.units.first(where: { $0.name == text.last }), let number = Int64(digits),
      digits.allSatisfy({ $0.isASCII && $0.isNumber })
    else { return nil }
    let (total, overflow) = number.multipliedReportingOverflow(by: unit.seconds)
    guard !overflow, total <= 36_500 * 86_400 else { return nil }
    self = .seconds(total)
  }

  /// The same in text, in days at most: `90s`, `7d`.
  var configured: String {
    let seconds = components.seconds
    let unit = Self.units.last { $0.name != "w" && seconds % $0.seconds == 0 }
    return seconds == 0 ? "0" : unit.map { "\(seconds / $0.seconds)\($0.name)" } ?? "\(seconds)s"
  }

  private static let units: [(name: Character, seconds: Int64)] = [
    ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800),
  ]
}

/// A TCP address to listen on: `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// Without brackets.
  package let host: String
  /// 0 lets the kernel choose.
  package let port: Int

  /// Nil unless there are both a host and a port.
  package init?(_ text: some StringProtocol) {
    guard let (host, port) = WebHost.andPort(Substring(text)), let port else { return nil }
    self.host = host
    self.port = port
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A host name, or `*.` and the end of one, in lower case: `*.box.com` matches every host below `box.com`, but not
/// `box.com` itself. An address is written as in a URL, without brackets.
package struct HostPattern: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  /// Nil for a URL, a port, a star elsewhere, an empty label.
  package init?(_ text: some StringProtocol) {
    let lower = text.lowercased()
    let name = lower.hasPrefix("*.") ? lower.dropFirst(2) : lower[...]
    guard WebHost.isName(name) || (name.count == lower.count && WebHost.isIPv6(name)) else { return nil }
    description = lower
  }
}
