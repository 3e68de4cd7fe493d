import Glibc
import Synchronization
import TestSystem

/// Observes from outside when events are durable: both contenders write their position file only after the
/// events' sync, so it changes at that moment, plus the delay of the notification.
///
/// Source: inotify(7).
final class PositionWatch: Sendable {
  struct Sighting: Sendable {
    /// CLOCK_MONOTONIC, as the simulator's `producedNanoseconds`.
    var nanoseconds: UInt64
    /// Everything before it is durable.
    var position: UInt64
  }

  private let path: String
  private let descriptor: Int32
  private let sightings = Mutex<[Sighting]>([])

  /// Watches from now on, on a thread of its own, until the process ends.
  /// - Parameter path: the position file; its directory must exist.
  init(_ path: String, in directory: String) throws {
    self.path = path
    descriptor = inotify_init1(Int32(IN_CLOEXEC))
    guard descriptor >= 0, inotify_add_watch(descriptor, directory, UInt32(IN_MODIFY)) >= 0 else {
      throw BenchmarkError("cannot watch \(directory)")
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<PositionWatch>.fromOpaque(context).takeRetainedValue().watch()
        return nil
      }, context.toOpaque())
    guard result == 0 else { throw BenchmarkError("cannot start a thread") }
    pthread_detach(thread)
  }

  var all: [Sighting] { sightings.withLock { $0 } }

  /// Waits until everything before `position` is durable.
  func reaches(_ position: UInt64, child: Child, within seconds: Int = 120) async throws -> Sighting {
    for _ in 0..<(seconds * 100) {
      let found = sightings.withLock { $0.last.flatMap { last in last.position >= position ? last : nil } }
      if let found { return found }
      _ = try child.mebibytes("VmRSS")
      try await Task.sleep(for: .milliseconds(10))
    }
    throw BenchmarkError("not done after \(seconds) s")
  }

  private func watch() {
    var events = [UInt8](repeating: 0, count: 4096)
    while read(descriptor, &events, events.count) > 0 {
      let now = MonotonicTime.now
      guard let position = position() else { continue }
      sightings.withLock { $0.append(Sighting(nanoseconds: now, position: position)) }
    }
  }

  /// The greatest position in the file: the daemon also keeps the previous one.
  private func position() -> UInt64? {
    let text = String(decoding: Files.contents(path), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      line.hasPrefix("stream_position: ") ? UInt64(line.dropFirst(17)) : nil
    }.max()
  }
}
