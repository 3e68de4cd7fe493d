package import BoxEvents
import Glibc
import Synchronization

/// A thread of its own that runs the work of the streams given to it, one piece after the other.
///
/// A sync may take seconds on a busy disk and never return on a broken one. On the cooperative pool it would
/// hold up everything else; here the streams that share the thread. It lives as long as the process.
package final class DiskThread: SerialExecutor, @unchecked Sendable {
  // Guards `jobs`.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [UnownedJob] = []

  /// A buffer for the actors that run on this thread, of which only one works at a time.
  var scratch: [UInt8] = []

  /// Starts the thread.
  /// - Throws: `io` if the system has no thread left.
  package init() throws(StoreFailure) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wakeUp, nil)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<DiskThread>.fromOpaque(context).takeUnretainedValue().run()
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      throw StoreFailure(
        .io, "cannot start a thread for the disk: \(String(cString: strerror(result)))",
        hint: "Raise TasksMax= of the unit, or ulimit -u and ulimit -v.", errno: result)
    }
    pthread_detach(thread)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(mutex)
    jobs.append(job)
    pthread_mutex_unlock(mutex)
    // Only now: a thread woken under the lock would wait for it at once.
    pthread_cond_signal(wakeUp)
  }

  private func run() {
    // Signals are for the threads that wait for them.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    var batch: [UnownedJob] = []
    while true {
      pthread_mutex_lock(mutex)
      while jobs.isEmpty { pthread_cond_wait(wakeUp, mutex) }
      swap(&jobs, &batch)
      pthread_mutex_unlock(mutex)
      for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
      batch.removeAll(keepingCapacity: true)
    }
  }
}

/// The few threads that all streams' disk work shares.
package final class DiskThreads: Sendable {
  private let threads: [DiskThread]
  private let count = Atomic<Int>(0)

  /// - Parameter count: how many syncs may wait at once.
  package init(count: Int = 4) throws(StoreFailure) {
    threads = try (0..<max(1, count)).map { _ throws(StoreFailure) in try DiskThread() }
  }

  /// The threads in turn.
  package func next() -> DiskThread {
    threads[Int(UInt(bitPattern: count.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(threads.count))]
  }
}
