/// The names of segment files: `events-0000000000104729.ndjson`, where the number is the ordinal of the
/// segment's first event, in decimal, so that names sort as events do.
enum SegmentName {
  static let link = "current"
  private static let prefix = "events-"
  private static let suffix = ".ndjson"
  private static let width = 16

  static func text(_ ordinal: UInt64) -> String {
    let digits = String(ordinal)
    return prefix + String(repeating: "0", count: max(0, width - digits.count)) + digits + suffix
  }

  /// The ordinal in a name, or nil for a name that ``text(_:)`` doesn't give.
  static func ordinal(_ name: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count >= prefix.utf8.count + width else {
      return nil
    }
    let ordinal = UInt64(name.dropFirst(prefix.count).dropLast(suffix.count))
    // No record could name an event behind it.
    return ordinal.flatMap { $0 < 1 << 61 && text($0) == name ? $0 : nil }
  }
}
