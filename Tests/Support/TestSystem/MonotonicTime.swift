import Glibc

/// CLOCK_MONOTONIC, as every process of this machine reads it.
package enum MonotonicTime {
  /// Nanoseconds.
  package static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
