import Glibc

/// A closure on a thread of its own, for calls that block.
final class ThreadWork: Sendable {
  /// Runs a blocking call, off the cooperative pool's few threads.
  static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      ThreadWork { continuation.resume(returning: work()) }.start()
    }
  }

  /// Makes this thread an unprivileged user for files and sockets: root has access to all of them.
  ///
  /// The corresponding C function is `setfsuid`, which the C library's module doesn't show.
  static func dropRoot() {
    guard geteuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return }
    _ = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)(65_534)
  }

  private let work: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void) { self.work = work }

  func start() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().work() }
        return nil
      }, context)
    if result == 0 { pthread_detach(thread) }
  }
}
