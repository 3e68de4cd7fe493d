import NIOCore

/// Runs tasks on the event loop on which the answers to their calls arrive, so that no other thread is woken for them.
///
/// Nothing on it may block: looking names up is done by other threads, and so is the work of a disk.
package final class EventLoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
