import Glibc

/// How many threads this process may start.
package enum ThreadLimit {
  /// Fewer may not be enough: up to eight event loops of the transport, one of the status server, four threads for
  /// the disk, two of the runtime. The others come later, and with more processors there are more.
  static let need = 15
  /// With less address space than this, the runtime ends without a word when an allocator has reserved the rest for its
  /// threads. Measured: below 400 MiB always, below 800 MiB at times.
  private static let addressSpace: rlim_t = 800 << 20

  /// Starts as many threads as are needed at least, and ends them again. Limits count all of a user's processes, don't
  /// apply to root, and may be those of a control group: only trying tells. The corresponding C function is
  /// `pthread_create`.
  /// - Throws: `DaemonFailure` where that fails.
  package static func check() throws(DaemonFailure) {
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < addressSpace {
      throw DaemonFailure(
        .unavailable,
        "the limit of address space is \(limit.rlim_cur >> 20) MiB; \(addressSpace >> 20) MiB are needed",
        hint: "Raise LimitAS= of the unit, or ulimit -v. Memory itself is limited by MemoryMax=.")
    }
    let (started, errno) = start(need)
    guard started < need else { return }
    throw DaemonFailure(
      .unavailable,
      "only \(started) of at least \(need) threads can be started: \(String(cString: strerror(errno)))",
      hint: "Raise LimitNPROC= or TasksMax= of the unit, or ulimit -u.", errno: errno)
  }

  private struct Shared {
    /// Held until all have been started.
    let hold = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// A thread has begun.
    let begun = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
      pthread_mutex_init(hold, nil)
      sem_init(begun, 0, 0)
    }

    func deallocate() {
      hold.deallocate()
      begun.deallocate()
    }
  }

  /// - Returns: how many could be started, and the error number of the first that couldn't.
  static func start(_ count: Int) -> (started: Int, errno: CInt) {
    var shared = Shared()
    defer { shared.deallocate() }
    var threads: [pthread_t] = []
    var result: CInt = 0
    pthread_mutex_lock(shared.hold)
    withUnsafeMutablePointer(to: &shared) { shared in
      while threads.count < count {
        var thread = pthread_t()
        result = pthread_create(&thread, nil, Self.wait, shared)
        guard result == 0 else { break }
        threads.append(thread)
        while sem_wait(shared.pointee.begun) != 0 {}
      }
      pthread_mutex_unlock(shared.pointee.hold)
      for thread in threads { pthread_join(thread, nil) }
    }
    return (threads.count, result)
  }

  private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    context in
    guard let shared = context?.assumingMemoryBound(to: Shared.self).pointee else { return nil }
    sem_post(shared.begun)
    pthread_mutex_lock(shared.hold)
    pthread_mutex_unlock(shared.hold)
    return nil
  }
}
