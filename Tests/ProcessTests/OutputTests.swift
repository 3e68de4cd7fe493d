import BoxSimulator
import Testing

/// Output that can't be written is not a success; a reader that has enough is one.
@Suite struct OutputTests {
  @Test func reportsOutputThatCannotBeWritten() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(5)
      let daemon = try fixture.start()
      try await fixture.drained()
      let name = fixture.settings.streams[0].name
      let commands = [
        ["status"], ["status", "--json"], ["check"], ["check", "--online"], ["tail"], ["tail", "-f"],
        ["verify"],
        ["position", "show", name],
      ]
      for (index, command) in commands.enumerated() {
        try await expectFailure(of: command + ["--config", fixture.configuration], "\(index)", in: fixture)
      }
      for (index, command) in [["--help"], ["--version"], ["help", "tail"], ["simulate"]].enumerated() {
        try await expectFailure(of: command, "plain-\(index)", in: fixture)
      }
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  private func expectFailure(of command: [String], _ name: String, in fixture: TestEnvironment) async throws {
    let errors = "\(fixture.root)/full-\(name)"
    let child = try fixture.spawn([Executable.path] + command, output: "/dev/full", errors: errors)
    #expect(try await child.ended() == .code(74), "\(command)")
    let text = String(decoding: readFile(errors), as: UTF8.self)
    #expect(
      text == """
        box-eventd: cannot write the output: No space left on device
          Send it where there is free space.

        """, "\(command)")
  }

  @Test func reportsAClosedOutput() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(5)
      let daemon = try fixture.start()
      try await fixture.drained()
      let commands = [
        ["status"], ["check"], ["tail"], ["verify"], ["position", "show", "default"],
      ].map { $0 + ["--config", fixture.configuration] }
      for command in commands + [["--help"], ["--version"], ["simulate"]] {
        let (child, name) = try fixture.begin(
          ["/bin/sh", "-c", #"exec "$0" "$@" >&-"#, Executable.path] + command)
        let outcome = try await fixture.outcome(of: child, name)
        #expect(outcome.exit == .code(74), "\(command)")
        #expect(outcome.errors.contains("cannot write the output: Bad file descriptor"), "\(command)")
      }
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func tailCountsTheEventsSinceATimeToo() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(5)
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      let all = fixture.spool().lines.count
      let counts = [([], all), (["-n", "2"], 2), (["-n", "0"], 0), (["-n", "100"], all)]
      for (count, expected) in counts {
        let (child, name) = try fixture.begin(
          ["tail", "--since", "2000-01-01T00:00:00Z", "--config", fixture.configuration] + count)
        let outcome = try await fixture.outcome(of: child, name)
        #expect(outcome.output.split(separator: "\n").count == expected, "\(count)")
      }
    }
  }

  @Test func aReaderThatHasEnoughIsNoError() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(2000)
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      // Also where the shell ignores SIGPIPE, so that the write fails instead.
      for prefix in ["", "trap '' PIPE; "] {
        try await expectOneLine(fixture, prefix, "tail -n 2000")
      }
    }
  }

  /// No event would come to be written.
  @Test(arguments: ["", "trap '' PIPE; "]) func followingEndsWithItsReader(prefix: String) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(5)
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      try await expectOneLine(fixture, prefix, "tail -f -n 1")
    }
  }

  /// A command whose reader takes one line.
  private func expectOneLine(_ fixture: TestEnvironment, _ prefix: String, _ command: String) async throws {
    let (child, name) = try fixture.begin([
      "/bin/sh", "-c",
      prefix + "'\(Executable.path)' \(command) --config '\(fixture.configuration)' | head -n 1",
    ])
    let outcome = try await fixture.outcome(of: child, name)
    #expect(outcome.exit == .code(0))
    #expect(outcome.output.split(separator: "\n").count == 1)
    #expect(outcome.errors.isEmpty)
  }
}
