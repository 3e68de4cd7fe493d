import BoxEvents
import Glibc

/// What keeps a quiet daemon quiet.
enum QuietTime {
  /// Between two looks at what changes without a sign: files on disk, a status that counts seconds.
  static let interval = Duration.seconds(10)

  /// Returns at the next multiple of the interval: all that look at something every 10 s do it in one wake-up.
  static func next(_ interval: Duration = interval) async throws {
    let now = MonotonicFeedClock().now.sinceOrigin
    let passed = (now / .nanoseconds(1)).truncatingRemainder(dividingBy: interval / .nanoseconds(1))
    try await Task.sleep(for: interval - .nanoseconds(Int64(passed)), clock: SuspendingClock())
  }

  /// Lets go of the program's code that was needed until now: the kernel maps again what is executed.
  /// Source: madvise(2), MADV_DONTNEED.
  static func releaseMemory() {
    for range in codeOfThisProgram() {
      madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
    }
  }

  /// The addresses of the executable's code; empty where they can't be read. Source: proc_pid_maps(5).
  private static func codeOfThisProgram() -> [Range<UInt>] {
    guard let maps = try? FileContents("/proc/self/maps", maximumSize: 1 << 20),
      let path = realpath("/proc/self/exe", nil)
    else { return [] }
    defer { free(path) }
    // 55d0c0a00000-55d0c2d1c000 r-xp 00000000 fe:00 16433173   /usr/bin/box-eventd
    return String(decoding: maps.bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count == 6, fields[1] == "r-xp", fields[5] == String(cString: path) else { return nil }
      let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }
  }
}
