import TestSystem

/// What a process has used and holds, at one moment.
struct Activity {
  struct Change {
    /// As it is now.
    var mebibytes: Double
    var threads: Double
    var descriptors: Double
    /// Since then.
    var cpuPercent: Double
    /// Times a second that one of its threads got a core.
    var switches: Double
  }

  private let nanoseconds: UInt64
  private let cpuMicroseconds: Double
  private let switches: [String: Int]
  private let child: Child

  init(of child: Child) throws {
    self.child = child
    switches = child.switches()
    cpuMicroseconds = try child.cpuMicroseconds()
    nanoseconds = MonotonicTime.now
  }

  func change(since earlier: Activity) throws -> Change {
    let seconds = Double(nanoseconds - earlier.nanoseconds) / 1e9
    let more = switches.map { $0.value - (earlier.switches[$0.key] ?? 0) }.reduce(0, +)
    return Change(
      mebibytes: try child.mebibytes("VmRSS"), threads: Double(try child.threads()),
      descriptors: Double(child.descriptors),
      cpuPercent: (cpuMicroseconds - earlier.cpuMicroseconds) / 1e4 / seconds,
      switches: Double(more) / seconds)
  }
}
