import Glibc
import Synchronization
import TestSystem

/// Observes from outside when events are durable: both contenders write their position file only after the
/// events' sync, so it changes at that moment, plus the delay of the notification.
///
/// Source: inotify(7).
final class PositionWatch: Sendable {
  struct Sighting: Sendable {
    /// CLOCK_MONOTONIC, as the responder's times.
    var nanoseconds: UInt64
    /// How many events are durable.
    var events: Int
  }

  private let paths: [String]
  private let descriptor: Int32
  /// By stream.
  private let sightings: Mutex<[[Sighting]]>
  private let streams: [Int32: Int]

  /// Watches all streams from now on, on a thread of its own.
  init(_ environment: BenchEnvironment) throws {
    paths = environment.streams.map(environment.position(of:))
    sightings = Mutex(Array(repeating: [], count: paths.count))
    descriptor = inotify_init1(Int32(IN_CLOEXEC))
    var streams: [Int32: Int] = [:]
    for (index, stream) in environment.streams.enumerated() {
      let watch = inotify_add_watch(descriptor, environment.state(of: stream), UInt32(IN_MODIFY))
      guard watch >= 0 else { throw BenchmarkError("can't watch \(environment.state(of: stream))") }
      streams[watch] = index
    }
    self.streams = streams
    let header = MemoryLayout<inotify_event>.size
    try BackgroundThread.start { [weak self, descriptor] in
      defer { close(descriptor) }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        let now = MonotonicTime.now
        guard count > 0, let self else { return }
        var offset = 0
        while offset + header <= count {
          let event = buffer.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
          }
          offset += header + Int(event.len)
          if let stream = self.streams[event.wd] { self.look(stream, now) }
        }
      }
    }
  }

  /// The end of a watch is an event too, by which the thread sees that this value is gone.
  deinit { for watch in streams.keys { inotify_rm_watch(descriptor, watch) } }

  /// What was seen of each stream.
  var all: [[Sighting]] { sightings.withLock { $0 } }

  /// Of the first stream.
  var durable: Int { sightings.withLock { $0[0].last?.events ?? 0 } }

  /// Waits until so many events of the first stream are durable.
  /// - Returns: when they were.
  @discardableResult
  func reaches(_ events: Int, child: Child, within seconds: Double = 300) throws -> UInt64 {
    try until("\(events) events durable", within: seconds, running: child) { durable >= events }
    return sightings.withLock { $0[0].first { $0.events >= events }?.nanoseconds ?? 0 }
  }

  /// From produced to durable, in milliseconds, of each event that is.
  func milliseconds(_ produced: [Responder.Produced]) -> [Double] {
    let all = all
    return produced.compactMap { event in
      let sightings = all[event.user - 1]
      var (low, high) = (0, sightings.count)
      while low < high {
        let middle = (low + high) / 2
        if sightings[middle].events <= event.ordinal { low = middle + 1 } else { high = middle }
      }
      guard low < sightings.count else { return nil }
      return (Double(sightings[low].nanoseconds) - Double(event.nanoseconds)) / 1e6
    }
  }

  private func look(_ stream: Int, _ now: UInt64) {
    guard let position = position(paths[stream]) else { return }
    let events = Responder.events(before: position)
    sightings.withLock { sightings in
      // Only what is new: a position is also written again, with the time of its confirmation.
      if events > sightings[stream].last?.events ?? 0 {
        sightings[stream].append(Sighting(nanoseconds: now, events: events))
      }
    }
  }

  /// The greatest position in the file: the daemon also keeps the previous one.
  private func position(_ path: String) -> UInt64? {
    Files.text(path).split(separator: "\n").compactMap { line in
      line.hasPrefix("stream_position: ") ? UInt64(line.dropFirst(17)) : nil
    }.max()
  }
}
