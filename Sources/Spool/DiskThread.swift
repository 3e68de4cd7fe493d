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

  /// The actors on this thread with open files, those used last at the end.
  private var open: [WeakSpool] = []
  private let maximumOpen: Int

  private struct WeakSpool {
    weak var spool: StreamSpool?
  }

  /// How many streams of a thread keep their files open. A busy stream opens nothing; a thousand quiet ones hold
  /// nothing but their connections.
  package static let openStreams = 16

  /// Starts the thread.
  /// - Parameter openStreams: how many of its streams may have files open between two calls.
  /// - Throws: `io` if the system has no thread left.
  package init(openStreams: Int = DiskThread.openStreams) throws(StoreFailure) {
    maximumOpen = openStreams
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

  /// An actor of this thread has opened or used its files; where that makes too many, the one that used its own
  /// longest ago closes them. Called on this thread.
  func noteOpen(_ spool: StreamSpool) {
    if maximumOpen > 0, open.last?.spool === spool { return }
    open.removeAll { $0.spool == nil || $0.spool === spool }
    open.append(WeakSpool(spool: spool))
    while open.count > maximumOpen,
      let resting = open.firstIndex(where: { $0.spool?.assumeIsolated { $0.rest() } ?? true })
    {
      open.remove(at: resting)
    }
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

/// The few threads that all streams' disk work shares. Each is started with the first stream that is given to it.
package final class DiskThreads: Sendable {
  private struct State {
    var threads: [DiskThread]
    var given = 0
  }

  /// How many syncs may wait at once.
  package static let count = 4

  private let state: Mutex<State>
  private let maximum: Int

  /// - Parameter count: how many threads at most.
  package init(count: Int = DiskThreads.count) throws(StoreFailure) {
    maximum = count
    state = Mutex(State(threads: [try DiskThread()]))
  }

  /// For what is seldom: it needs no thread of its own.
  package var first: DiskThread { state.withLock { $0.threads[0] } }

  /// The threads in turn. Where no further one can be started, those that there are serve.
  package func next() -> DiskThread {
    state.withLock { state in
      defer { state.given += 1 }
      if state.given == state.threads.count, state.threads.count < maximum, let thread = try? DiskThread() {
        state.threads.append(thread)
      }
      return state.threads[state.given % state.threads.count]
    }
  }
}
