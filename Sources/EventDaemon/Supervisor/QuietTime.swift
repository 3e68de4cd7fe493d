import Glibc
import Synchronization

/// What keeps a quiet daemon quiet.
enum QuietTime {
  /// Between two looks at what changes without a sign: files on disk, a status that counts seconds.
  static let interval = Duration.seconds(10)

  private static let ticks = Ticks(every: interval)

  /// Returns at the next tick, at which everything returns that waits for one: all is looked at in one wake-up.
  /// - Throws: `CancellationError` if the task is cancelled first.
  static func next() async throws { try await ticks.next() }

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

/// One timer for all that wait.
final class Ticks: Sendable {
  private struct State {
    var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    var nextWaiter = 0
    var isTicking = false
  }

  private let interval: Duration
  private let state = Mutex(State())

  init(every interval: Duration) { self.interval = interval }

  func next() async throws {
    let (id, isFirst) = state.withLock { state in
      defer { (state.nextWaiter, state.isTicking) = (state.nextWaiter + 1, true) }
      return (state.nextWaiter, !state.isTicking)
    }
    if isFirst { Task { await tick() } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if !Task.isCancelled { state.waiters[id] = continuation }
          return Task.isCancelled
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
    }
  }

  /// Ticks as long as someone waits; who comes back at a tick waits for the next.
  private func tick() async {
    var waiters: [CheckedContinuation<Void, any Error>]
    repeat {
      try? await Task.sleep(for: interval, clock: SuspendingClock())
      waiters = state.withLock { state in
        defer {
          if state.waiters.isEmpty { state.isTicking = false }
          state.waiters = [:]
        }
        return Array(state.waiters.values)
      }
      for waiter in waiters { waiter.resume() }
    } while !waiters.isEmpty
  }
}
