import Glibc

/// A closure on a thread of its own, for calls that block.
final class ThreadWork: Sendable {
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
