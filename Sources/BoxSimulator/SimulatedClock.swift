import BoxEvents
import Glibc
import NIOCore

/// The simulator's clock: this machine's, shifted, so that Box's clock and a client's can differ.
struct SimulatedClock: Sendable {
  /// When something happened, by both clocks.
  struct Moment: Sendable {
    var secondsSince1970: Int64
    /// CLOCK_MONOTONIC: comparable between the processes of one machine.
    var nanoseconds: UInt64
  }

  var offset: Duration

  var now: Moment {
    Moment(
      secondsSince1970: Int64(time(nil)) + offset.components.seconds,
      nanoseconds: NIODeadline.now().uptimeNanoseconds)
  }
}

/// Dates as Box writes them.
///
/// On purpose by the C library and not by `UTCDate`: a simulator that shared the client's calendar would not
/// notice an error in it.
enum DateText {
  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
  static func http(secondsSince1970: Int64) -> String {
    text("%a, %d %b %Y %H:%M:%S GMT", secondsSince1970)
  }

  /// `2026-01-01T00:00:00-08:00`, an event's time: Pacific time with its offset.
  static func event(secondsSince1970: Int64) -> String {
    text("%Y-%m-%dT%H:%M:%S-08:00", secondsSince1970 - 8 * 3600)
  }

  /// In the C locale: this process sets no other.
  private static func text(_ format: String, _ secondsSince1970: Int64) -> String {
    var seconds = time_t(secondsSince1970)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    var bytes = [CChar](repeating: 0, count: 64)
    let count = strftime(&bytes, bytes.count, format, &fields)
    return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension SplitMix64 {
  /// An independent generator for each name, so that the random numbers of one feed don't depend on another's.
  init(seed: UInt64, name: String) {
    // FNV-1a: Swift's own hash differs from run to run.
    let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    self.init(seed: seed ^ hash)
  }

  /// True in `percent` of 100 calls. Takes no number for 0, so that a rate of 0 changes no sequence.
  mutating func chance(percent: Double) -> Bool {
    guard percent > 0 else { return false }
    return Double.random(in: 0..<100, using: &self) < percent
  }
}
