import Glibc
import Testing

@testable import Systemd

/// What libsystemd reads from the environment. All tests share it: one at a time.
@Suite(.serialized)
struct ProcessEnvironmentTests {
  /// Runs `body` with variables set, nil for unset, and removes them afterwards.
  private func with<Result>(_ variables: [String: String?], _ body: () throws -> Result) rethrows -> Result {
    for (name, value) in variables {
      if let value { setenv(name, value, 1) } else { unsetenv(name) }
    }
    defer {
      for name in variables.keys { unsetenv(name) }
    }
    return try body()
  }

  /// Returns when what `body` has sent is delivered.
  private func notify(_ socket: String?, _ body: (Notifier) -> Void) async {
    if let socket { setenv("NOTIFY_SOCKET", socket, 1) } else { unsetenv("NOTIFY_SOCKET") }
    defer { unsetenv("NOTIFY_SOCKET") }
    let notifier = Notifier.systemd()
    body(notifier)
    await notifier.delivered()
  }

  @Test func messagesArriveInOrderAndComplete() async throws {
    let socket = try NotifySocket()
    await notify(socket.path) { notifier in
      notifier.send(.extendTimeout(.seconds(90)))
      notifier.send(.ready, .status("Streaming 3 streams · last event 12 s ago"))
      notifier.send(.watchdog)
      notifier.send(.stopping, .errno(5))
    }
    #expect(socket.receive() == "EXTEND_TIMEOUT_USEC=90000000")
    #expect(socket.receive() == "READY=1\nSTATUS=Streaming 3 streams · last event 12 s ago")
    #expect(socket.receive() == "WATCHDOG=1")
    #expect(socket.receive() == "STOPPING=1\nERRNO=5")
    #expect(socket.receive() == nil)
  }

  @Test func aReloadCarriesTheTimeItBegan() async throws {
    let socket = try NotifySocket()
    let before = MonotonicClock.now.clampedMicroseconds
    await notify(socket.path) { $0.send(.reloading) }
    let lines = try #require(socket.receive()).split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    let time = try #require(lines.last?.split(separator: "=").last.flatMap { Int64($0) })
    #expect(lines.last == "MONOTONIC_USEC=\(time)")
    #expect(time >= before && time <= MonotonicClock.now.clampedMicroseconds)
  }

  /// An empty variable counts as unset; the last socket is gone.
  @Test(arguments: [nil, "", try? NotifySocket().path])
  func aMissingSocketDoesNotFail(_ path: String?) async throws {
    await notify(path) { $0.send(.ready) }
    let socket = try NotifySocket()
    await notify(socket.path) { $0.send(.ready) }
    #expect(socket.receive() == "READY=1")
  }

  @Test func readsTheWatchdogIntervalOfThisProcessOnly() throws {
    #expect(try requestedInterval(ofProcess: String(getpid())) == .seconds(120))
    #expect(try requestedInterval(ofProcess: nil) == .seconds(120))
    #expect(try requestedInterval(ofProcess: "1") == nil)
    #expect(try with(["WATCHDOG_USEC": nil]) { try Watchdog.requestedInterval() } == nil)
  }

  private func requestedInterval(ofProcess pid: String?) throws -> Duration? {
    try with(["WATCHDOG_USEC": "120000000", "WATCHDOG_PID": pid]) { try Watchdog.requestedInterval() }
  }

  @Test func refusesAWatchdogIntervalThatIsNotANumber() {
    with(["WATCHDOG_USEC": "often", "WATCHDOG_PID": nil]) {
      let error = #expect(throws: SystemdError.self) { try Watchdog.requestedInterval() }
      #expect(error?.code == .watchdogUnreadable)
      #expect(error?.errno == EINVAL)
    }
  }

  @Test func theUnitsBootIDTakesPrecedence() throws {
    let id = "00112233445566778899aabbccddeeff"
    let kernels = try BootID.ofKernel()
    try #require(kernels != id)
    #expect(try with(["BOOT_ID": id]) { try BootID.current() } == id)
    #expect(try with(["BOOT_ID": "%b"]) { try BootID.current() } == kernels)
    #expect(try with(["BOOT_ID": nil]) { try BootID.current() } == kernels)
  }

  @Test func ignoresAJournalThatIsNotStandardError() {
    with(["JOURNAL_STREAM": "0:0"]) {
      #expect(!Journal.isConnected)
      #expect(LogDestination.current == .standardError)
    }
  }

  @Test func detectsTheJournalOnStandardError() throws {
    var status = stat()
    try #require(fstat(STDERR_FILENO, &status) == 0)
    with(["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)"]) {
      #expect(Journal.isConnected)
      #expect(LogDestination.current == .journal)
    }
  }
}
