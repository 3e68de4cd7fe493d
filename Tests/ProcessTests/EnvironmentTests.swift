import BoxSimulator
import FoundationEssentials
import Glibc
import TestSystem
import Testing

/// Faults around the process: closed descriptors, limits, variables, and files deleted under the daemon.
@Suite struct EnvironmentTests {
  /// A shell that sets something up and then becomes the daemon.
  private func shell(_ command: String) -> [String] {
    ["/bin/sh", "-c", command + #"; exec "$0" "$@""#]
  }

  /// Else the first files it opens would become its stdin, stdout and stderr, and hold its log.
  @Test func startsWithClosedStandardDescriptors() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(50)
      let daemon = try fixture.start(under: shell("exec 0<&- 1>&- 2>&-"))
      try await fixture.drained()
      for descriptor in 0...2 {
        let path = "/proc/\(daemon.processID)/fd/\(descriptor)"
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/null")
      }
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      #expect(fixture.log.isEmpty)
    }
  }

  /// The runtime reads the arguments there: without them, every command printed the help and succeeded.
  @Test(.enabled(if: geteuid() == 0, "only root can hide /proc")) func endsWithoutProc() async throws {
    try await withTestEnvironment { fixture in
      let hidden = [
        "/usr/bin/unshare", "--mount", "/bin/sh", "-c", #"mount -t tmpfs none /proc && exec "$0" "$@""#,
      ]
      let daemon = try fixture.start(under: hidden)
      #expect(try await daemon.ended() == .code(69))
      #expect(fixture.lastLines(2).contains("Mount the file system /proc."))
    }
  }

  /// The event that didn't fit is spooled after the limit is removed.
  @Test func recoversFromAFileSizeLimit() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(200)
      let limited = try fixture.start(under: shell("ulimit -f 100"))
      #expect(try await limited.ended() == .code(74))
      #expect(fixture.lastLines(2).isTwoLines)
      #expect(fixture.lastLines(2).contains("LimitFSIZE="))
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test(arguments: [(12, 1), (76, 1), (221, 30)]) func refusesATooLowLimitOfOpenFiles(
    _ limit: Int, _ streams: Int
  )
    async throws
  {
    try await withTestEnvironment { fixture in
      fixture.settings.streams = (0..<streams).map { .init(name: "stream-\($0)") }
      fixture.configure()
      let daemon = try fixture.start(under: shell("ulimit -n \(limit)"))
      #expect(try await daemon.ended() == .code(78))
      #expect(fixture.lastLines(2).isTwoLines)
      #expect(
        fixture.lastLines(2).contains("open files is \(limit);")
          && fixture.lastLines(2).contains("LimitNOFILE="))
    }
  }

  /// The runtime and the event loops would hang or trap.
  private func expectTooFew(_ what: String, _ key: String, under command: [String]) async throws {
    try await withTestEnvironment { fixture in
      let variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      let daemon = try fixture.start(environment: variables, under: command)
      #expect(try await daemon.ended() == .code(69), "\(fixture.lastLines(2))")
      #expect(fixture.lastLines(2).isTwoLines, "\(fixture.lastLines(2))")
      #expect(fixture.lastLines(2).contains(what))
      #expect(fixture.lastLines(2).contains(key))
    }
  }

  /// Root has no such limit. Each case has a user without other processes.
  @Test(arguments: [1, 4, 12]) func refusesATooLowLimitOfProcesses(_ limit: Int) async throws {
    guard OtherUser.isAvailable else { return }
    let user = OtherUser.command.map { $0.replacing("65534", with: "\(61_000 + limit)") }
    try await expectTooFew(
      "of at least 15 threads can be started", "LimitNPROC=", under: ["prlimit", "--nproc=\(limit)"] + user)
  }

  @Test func refusesATooLowLimitOfAddressSpace() async throws {
    try await expectTooFew("the limit of address space is", "LimitAS=", under: shell("ulimit -v 600000"))
  }

  /// Documented modes, whatever the caller's umask is.
  @Test(arguments: ["0777", "0277", "0"]) func setsItsOwnUmask(_ umask: String) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(20)
      let daemon = try fixture.start(under: shell("umask \(umask)"))
      try await fixture.drained()
      let modes: [(String, mode_t)] = [
        ("spool", 0o750), ("spool/default", 0o750), ("spool/default/segments.ndjson", 0o640),
        ("state", 0o700), ("state/default", 0o700), ("state/default/stream_position", 0o600),
      ]
      for (name, mode) in modes {
        #expect(FileFacts("\(fixture.root)/\(name)")?.mode == mode, "\(name)")
      }
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test func namesABusyPortOfTheSimulator() async throws {
    try await withTestEnvironment { fixture in
      let result = try await fixture.run("simulate", "--port", "\(fixture.simulator.port)")
      #expect(result.exit == .code(69))
      #expect(
        result.errors == """
          box-eventd: the simulator cannot listen on 127.0.0.1:\(fixture.simulator.port): Address already in use
            Choose another port, or 0 to let the system choose.

          """)
    }
  }

  /// A reload that would need more is refused; running streams continue.
  @Test func refusesAReloadThatNeedsMoreOpenFiles() async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start(under: shell("ulimit -n 77"))
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.settings.streams.append(.init(name: "second"))
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("the previous one stays in force")
      #expect(fixture.log.contains("LimitNOFILE="))
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test(arguments: ["-5", "soon"]) func refusesInvalidWatchdogVariables(_ value: String) async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start(environment: ["WATCHDOG_USEC": value])
      #expect(try await daemon.ended() == .code(78))
      #expect(fixture.lastLines(2).isTwoLines)
      #expect(fixture.lastLines(2).contains("WATCHDOG_USEC"))
    }
  }

  /// Its events are lost, and recorded as a gap; later ones are not affected. A stream's directory is made again at
  /// once; for the directory of all streams the daemon waits.
  @Test(arguments: ["spool/default", "spool"]) func recoversFromADeletedSpool(_ directory: String)
    async throws
  {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(50)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      try FileManager.default.removeItem(atPath: "\(fixture.root)/\(directory)")
      fixture.simulator.produce(10)
      if directory == "spool" {
        try await fixture.logged("was moved or deleted while the daemon runs")
        mkdir("\(fixture.root)/spool", 0o750)
      }
      // And what Box serves again from before the position.
      try await eventually("the ten events") {
        Set(fixture.spool().lines).isSuperset(of: fixture.ledger().lines.suffix(10))
      }
      #expect(try await daemon.terminated() == .code(0))
      #expect(fixture.lineCount(of: "gaps.ndjson") == 1)
    }
  }

  @Test func recoversFromADeletedState() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(50)
      let daemon = try fixture.start()
      try await fixture.drained()
      try FileManager.default.removeItem(atPath: "\(fixture.root)/state")
      fixture.simulator.produce(10)
      try await fixture.logged("was moved or deleted while the daemon runs")
      mkdir("\(fixture.root)/state", 0o700)
      fixture.simulator.produce(10)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      #expect(fixture.log.contains("a gap was recorded: state-lost"))
    }
  }
}
