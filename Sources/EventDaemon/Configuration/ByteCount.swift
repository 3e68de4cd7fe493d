/// A number of bytes, never negative. In text: `64MiB`, `1GB`, `4096`.
package struct ByteCount: Hashable, Comparable, Sendable {
  package let bytes: Int64

  /// Negative numbers count as none.
  package init(_ bytes: Int64) {
    self.bytes = max(bytes, 0)
  }

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
