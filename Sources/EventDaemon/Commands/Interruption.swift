import Dispatch
import Glibc
import Synchronization

/// The signals that end a command. It ends by them as it would without this, but cleans up before; and one that has sent
/// a refresh token or a code, which work once, saves what Box answers before that.
package final class Interruption: Sendable {
  private struct State {
    /// Ends the work that may not be cut off.
    var cancel: (@Sendable () -> Void)?
    /// What ends the process after it.
    var signal: Int32?
  }

  private let state = Mutex(State())
  private let warn: @Sendable (String) -> Void
  private let cleanUp: @Sendable () -> Void

  /// In seconds, as at the daemon's stop.
  private static let answerLimit = 15
  /// The writing end of the pipe by which a handler, which may do hardly anything, reports a signal.
  private static let pipeEnd = Atomic<Int32>(-1)

  init(warn: @escaping @Sendable (String) -> Void, cleanUp: @escaping @Sendable () -> Void) {
    self.warn = warn
    self.cleanUp = cleanUp
  }

  /// Handles the signals from now on. One that is ignored stays so: nohup(1).
  func begin() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    let reader = ends[0]
    Self.pipeEnd.store(ends[1], ordering: .relaxed)
    DispatchQueue.global().async {
      var number: UInt8 = 0
      while read(reader, &number, 1) == 1 { self.receive(Int32(number)) }
    }
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] where !Self.isIgnored(number) {
      signal(number) { number in
        let code = errno
        withUnsafeBytes(of: UInt8(truncatingIfNeeded: number)) {
          _ = write(Interruption.pipeEnd.load(ordering: .relaxed), $0.baseAddress, 1)
        }
        errno = code
      }
    }
  }

  /// Does work that may send what works once. SIGINT, SIGTERM and SIGHUP cancel it, and end the process when it has
  /// returned: it returns at once, unless it must save an answer.
  package func deferring<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await work() }
    state.withLock { $0.cancel = { task.cancel() } }
    let result = await task.result
    let signal = state.withLock { state in
      state.cancel = nil
      return state.signal
    }
    if let signal { end(by: signal) }
    return try result.get()
  }

  private func receive(_ number: Int32) {
    let cancel = state.withLock { state in
      if state.signal == nil { state.signal = number }
      return state.cancel
    }
    guard let cancel, number != SIGQUIT else { end(by: number) }
    cancel()
    after(.milliseconds(500)) {
      $0.warn("waiting for Box's answer, \(Self.answerLimit) s at most: without it the login would be lost")
    }
    after(.seconds(Self.answerLimit)) {
      $0.warn("Box didn't answer in time; if signing in fails from now on, run: box-eventd login")
      $0.end(by: number)
    }
  }

  private func after(_ pause: DispatchTimeInterval, _ action: @escaping @Sendable (Interruption) -> Void) {
    DispatchQueue.global().asyncAfter(deadline: .now() + pause) {
      if self.state.withLock({ $0.cancel != nil }) { action(self) }
    }
  }

  private func end(by number: Int32) -> Never {
    cleanUp()
    signal(number, SIG_DFL)
    // This thread may have it blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, number)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(number)
    _exit(128 + number)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
