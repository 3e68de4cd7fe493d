import Glibc
import Synchronization
import TestSystem

/// A Unix datagram socket in the role of systemd's, which remembers when it received `READY=1`.
final class ServiceManager: Sendable {
  let path: String
  private let descriptor: Int32
  private let ready = Mutex<[UInt64]>([])

  /// Receives from now on, on a thread of its own.
  init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard SocketAddress.bind(descriptor, path: path) == 0 else { throw BenchmarkError("can't bind \(path)") }
    try BackgroundThread.start { [weak self, descriptor] in
      defer { close(descriptor) }
      var message = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = recv(descriptor, &message, message.count, 0)
        let now = MonotonicTime.now
        guard count > 0, let self else { return }
        let text = String(decoding: message[..<count], as: UTF8.self)
        if text.split(separator: "\n").contains("READY=1") { self.ready.withLock { $0.append(now) } }
      }
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// When the daemon was ready for the nth time, in nanoseconds of CLOCK_MONOTONIC.
  func isReady(times: Int, child: Child, within seconds: Double = 120) throws -> UInt64 {
    try until("READY=1", within: seconds, every: 0.001, running: child) {
      ready.withLock { $0.count } >= times
    }
    return ready.withLock { $0[times - 1] }
  }
}
