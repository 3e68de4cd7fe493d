import Glibc

/// How many threads this process may start.
package enum ThreadLimit {
  /// Fewer are never enough: eight event loops of the transport, one of the status server, four threads for the disk, two
  /// of the runtime. The others come later, and with more processors there are more.
  static let need = 15
  /// With less address space than this, allocators leave too little for so many threads' stacks.
  private static let tightAddressSpace: rlim_t = 400 << 20

  /// Starts as many threads as are needed at least, and ends them again. Limits count all of a user's processes, don't
  /// apply to root, and may be those of a control group: only trying tells. The corresponding C function is
  /// `pthread_create`.
  /// - Throws: `DaemonFailure` where that fails.
  package static func check() throws(DaemonFailure) {
    var limit = rlimit()
    let isTight =
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 && limit.rlim_cur < tightAddressSpace
    let (started, errno) = start(need, allocating: isTight)
    guard started < need else { return }
    throw DaemonFailure(
      .unavailable,
      "only \(started) of at least \(need) threads can be started: \(String(cString: strerror(errno)))",
      hint: "Raise LimitNPROC=, LimitAS= or TasksMax= of the unit, or ulimit -u and ulimit -v.", errno: errno)
  }

  private struct Shared {
    /// Held until all have been started.
    let hold = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// A thread has begun.
    let begun = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    let allocates: Bool

    init(allocates: Bool) {
      self.allocates = allocates
      pthread_mutex_init(hold, nil)
      sem_init(begun, 0, 0)
    }

    func deallocate() {
      hold.deallocate()
      begun.deallocate()
    }
  }

  /// - Parameter allocating: whether each takes memory, for which the allocator reserves address space for the thread.
  /// - Returns: how many could be started, and the error number of the first that couldn't.
  static func start(_ count: Int, allocating: Bool) -> (started: Int, errno: CInt) {
    var shared = Shared(allocates: allocating)
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
      for thread in threads {
        var memory: UnsafeMutableRawPointer?
        pthread_join(thread, &memory)
        free(memory)
      }
    }
    return (threads.count, result)
  }

  private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    context in
    guard let shared = context?.assumingMemoryBound(to: Shared.self).pointee else { return nil }
    let memory = shared.allocates ? malloc(1) : nil
    sem_post(shared.begun)
    pthread_mutex_lock(shared.hold)
    pthread_mutex_unlock(shared.hold)
    return memory
  }
}
