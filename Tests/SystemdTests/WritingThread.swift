import Glibc
import Synchronization

@testable import Systemd

/// A thread that writes one line, so that a signal can be aimed at its write.
final class WritingThread: Sendable {
  private final class Work: Sendable {
    let line: String
    let descriptor: CInt
    let hasEnded = Atomic(false)

    init(_ line: String, _ descriptor: CInt) {
      self.line = line
      self.descriptor = descriptor
    }
  }

  struct Failure: Error {
    var errno: CInt
  }

  private let work: Work
  private let thread: pthread_t

  init(_ line: String, to descriptor: CInt) throws {
    work = Work(line, descriptor)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        // The threads of the runtime block signals, and their children with them.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        StandardError.write(work.line, to: work.descriptor)
        work.hasEnded.store(true, ordering: .releasing)
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    guard result == 0 else { throw Failure(errno: result) }
    self.thread = thread
  }

  var hasEnded: Bool { work.hasEnded.load(ordering: .acquiring) }

  /// Does nothing to a thread that has ended.
  func signal(_ number: CInt) {
    pthread_kill(thread, number)
  }

  func join() {
    pthread_join(thread, nil)
  }
}
