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
    Self.pipeEnd.store(ends[1], ordering: .relaxed)
    // A thread of its own: the common ones may all wait for a terminal or a name server.
    let context = Unmanaged.passRetained(Watch(interruption: self, reader: ends[0]))
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Watch>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard result == 0 else { return context.release() }
    pthread_detach(thread)
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

  /// Waits for signals, and for the times at which work that goes on after one is mentioned and abandoned.
  private final class Watch: Sendable {
    private let interruption: Interruption
    private let reader: Int32

    init(interruption: Interruption, reader: Int32) {
      self.interruption = interruption
      self.reader = reader
    }

    func run() {
      var first: (number: Int32, at: ContinuousClock.Instant)?
      var hasWarned = false
      while true {
        let pause = first.map {
          $0.at + (hasWarned ? .seconds(Interruption.answerLimit) : .milliseconds(500)) - .now
        }
        var descriptor = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        let ready = poll(&descriptor, 1, pause.map { max(0, Int32($0 / .milliseconds(1))) } ?? -1)
        if ready > 0 {
          var number: UInt8 = 0
          guard read(reader, &number, 1) == 1 else { return }
          interruption.receive(Int32(number))
          first = first ?? (Int32(number), .now)
        } else if ready == 0, let first {
          if hasWarned { interruption.abandon(first.number) }
          hasWarned = true
          interruption.mention()
        }
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
  }

  private var goesOn: Bool { state.withLock { $0.cancel != nil } }

  private func mention() {
    guard goesOn else { return }
    warn("waiting for Box's answer, \(Self.answerLimit) s at most: without it the login would be lost")
  }

  private func abandon(_ number: Int32) {
    guard goesOn else { return }
    warn("Box didn't answer in time; if signing in fails from now on, run: box-eventd login")
    end(by: number)
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
