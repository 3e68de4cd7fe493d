import BoxSimulator
import Glibc
import TestSystem
import Testing

/// The program as another user than root, who is refused nothing.
@Suite(.enabled(if: OtherUser.isAvailable, "this test can't become another user")) struct OtherUserTests {
  /// A file or directory with its owner, group and mode.
  struct Access: CustomStringConvertible {
    var owner: uid_t = OtherUser.id
    var group: gid_t = 0
    var mode: mode_t

    var description: String { "\(owner):\(group) 0\(String(mode, radix: 8))" }

    func set(_ path: String) throws {
      try #require(chown(path, owner, group) == 0 && chmod(path, mode) == 0)
    }
  }

  /// A fixture whose folder and secret are the user's.
  private func withFixture(_ body: (TestEnvironment) async throws -> Void) async throws {
    try await withTestEnvironment { fixture in
      try Access(mode: 0o700).set(fixture.root)
      try Access(mode: 0o600).set("\(fixture.root)/client-secret")
      try await body(fixture)
    }
  }

  /// Runs a command of the program as the user.
  private func run(_ fixture: TestEnvironment, _ arguments: String...) async throws -> TestEnvironment.Outcome
  {
    let (child, name) = try fixture.begin(
      OtherUser.command + [Executable.path] + arguments + ["--config", fixture.configuration])
    var outcome = try await fixture.outcome(of: child, name)
    outcome.output = outcome.output.replacing(fixture.root, with: "")
    outcome.errors = outcome.errors.replacing(fixture.root, with: "")
    return outcome
  }

  /// The problems that `check` finds, with their hints.
  private func problems(_ fixture: TestEnvironment) async throws -> [String] {
    let outcome = try await run(fixture, "check")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let problems = lines.indices.filter { lines[$0].hasPrefix("PROBLEM ") }.map {
      lines[$0].dropFirst("PROBLEM ".count) + " | "
        + (lines.indices.contains($0 + 1) ? lines[$0 + 1].drop { $0 == " " } : "")
    }
    #expect(outcome.exit == .code(problems.isEmpty ? 0 : 78), "\(outcome.output)\(outcome.errors)")
    return problems.map { String($0) }
  }

  // MARK: check

  @Test(
    arguments: [
      (Access(mode: 0o600), nil), (Access(mode: 0o400), nil),
      (Access(owner: 0, group: 65_534, mode: 0o640), nil),
      (Access(mode: 0o640), "open to others (mode 0640) | Run: chmod 600 /client-secret."),
      (Access(mode: 0o604), "open to others (mode 0604) | Run: chmod 600 /client-secret."),
      (
        Access(owner: 0, mode: 0o644),
        "open to others (mode 0644) | Run: chown root:\(OtherUser.group) /client-secret && chmod 640 /client-secret."
      ),
      (
        Access(owner: 0, group: 65_534, mode: 0o660),
        "open to others (mode 0660) | Run: chown root:\(OtherUser.group) /client-secret && chmod 640 /client-secret."
      ),
      (
        Access(owner: 1, mode: 0o644),
        "belongs to another user (1) | Run: chown 65534 /client-secret && chmod 600 /client-secret."
      ),
      (
        Access(owner: 0, mode: 0o640),
        "permission denied | Run: chown root:\(OtherUser.group) /client-secret && chmod 640 /client-secret, and let "
          + "the user enter the folders above it: namei -l /client-secret."
      ),
    ] as [(Access, String?)]) func checksTheSecret(_ access: Access, _ problem: String?) async throws
  {
    try await withFixture { fixture in
      try access.set("\(fixture.root)/client-secret")
      let expected = problem.map { ["client-secret, /client-secret: \($0)"] } ?? []
      #expect(try await problems(fixture) == expected, "\(access)")
    }
  }

  @Test func checksTheConfigurationsFiles() async throws {
    try await withFixture { fixture in
      let hint = "Let \(OtherUser.name) read it and enter the folders above it; see: namei -l"
      try #require(chmod(fixture.configuration, 0o600) == 0)
      // Whose state it is can't be read either: the packaged service's.
      #expect(
        try await problems(fixture) == [
          "/box-eventd.toml: permission denied | Use sudo: this user is not the service's."
        ])
      try #require(chmod(fixture.configuration, 0o644) == 0)
      try #require(mkdir("\(fixture.configuration).d", 0o700) == 0)
      #expect(
        try await problems(fixture) == [
          "/box-eventd.toml.d: permission denied | \(hint) /box-eventd.toml.d."
        ])
    }
  }

  @Test(
    arguments: [
      (Access(mode: 0o750), nil),
      (Access(owner: 0, mode: 0o755), "[spool] directory, /spool: belongs to user 0, not to 65534"),
      (
        Access(owner: 0, group: 65_534, mode: 0o770),
        "[spool] directory, /spool: belongs to user 0, not to 65534"
      ),
      (Access(mode: 0o500), "[spool] directory, /spool: not writable"),
      (Access(owner: 0, mode: 0o700), "[spool] directory: cannot open /spool: Permission denied"),
    ] as [(Access, String?)]) func checksTheDirectories(_ access: Access, _ problem: String?) async throws
  {
    try await withFixture { fixture in
      try #require(mkdir("\(fixture.root)/spool", 0o700) == 0)
      try access.set("\(fixture.root)/spool")
      let problems = try await problems(fixture)
      #expect(problems.count == (problem == nil ? 0 : 1), "\(access): \(problems)")
      #expect(problems.first?.hasPrefix("\(problem ?? "") | ") != false, "\(access): \(problems)")
    }
  }

  /// A remedy for the service's user would open its files to any other one.
  @Test func anotherUserThanTheServicesIsToUseSudo() async throws {
    try await withFixture { fixture in
      try Access(owner: 0, mode: 0o711).set(fixture.root)
      try Access(owner: 0, mode: 0o600).set("\(fixture.root)/client-secret")
      for name in ["spool", "state"] {
        try #require(mkdir("\(fixture.root)/\(name)", 0o700) == 0)
        try Access(owner: 1, mode: 0o700).set("\(fixture.root)/\(name)")
      }
      let sudo = "Use sudo: this user is not the service's."
      let problems = try await problems(fixture)
      #expect(
        problems == ["this user is neither root nor the service's: most can't be checked | Run it with sudo."]
      )
      let outcome = try await run(fixture, "position", "set", "default", "now")
      #expect(outcome.exit == .code(78) && outcome.errors.contains(sudo), "\(outcome.errors)")
    }
  }

  /// Where the configuration names a socket this user can't read of.
  @Test func statusCannotTellTheSocketOfAnUnreadableConfiguration() async throws {
    try await withFixture { fixture in
      try Access(owner: 0, mode: 0o600).set(fixture.configuration)
      let outcome = try await run(fixture, "status")
      #expect(outcome.exit == .code(69))
      #expect(outcome.errors.contains("name the socket"), "\(outcome.errors)")
      #expect(outcome.errors.contains("Use sudo"), "\(outcome.errors)")
    }
  }

  @Test func checksWhetherADirectoryCanBeMade() async throws {
    try await withFixture { fixture in
      try Access(owner: 0, mode: 0o755).set(fixture.root)
      let problems = try await problems(fixture)
      for name in ["spool", "state"] {
        let problem = problems.first { $0.hasPrefix("[\(name)] directory, /\(name): it can't be created | ") }
        #expect(problem?.contains("install -d -o ") == true, "\(problems)")
      }
    }
  }

  /// Some versions of systemd name the folder of the credentials to the commands of `ExecReload=`, and close it to them.
  @Test func leavesCredentialsThatItCannotSeeToTheService() async throws {
    try await withFixture { fixture in
      fixture.settings.auth.removeAll { $0.hasPrefix("client_secret_file") }
      fixture.configure()
      let credentials = "\(fixture.root)/credentials"
      try #require(mkdir(credentials, 0o700) == 0)
      writeFile("\(credentials)/client-secret", Array("canary".utf8))
      let (child, name) = try fixture.begin(
        ["/usr/bin/env", "CREDENTIALS_DIRECTORY=\(credentials)"] + OtherUser.command
          + [Executable.path, "check", "--reload", "--config", fixture.configuration])
      let outcome = try await fixture.outcome(of: child, name)
      #expect(outcome.exit == .code(0), "\(outcome.output)\(outcome.errors)")
      #expect(outcome.output.contains("\nnote    the unit's credentials can't be seen in a reload"))
    }
  }

  // MARK: The daemon

  @Test func runsAndLeavesItsUsersFiles() async throws {
    try await withFixture { fixture in
      fixture.simulator.produce(5)
      let daemon = try fixture.start(under: OtherUser.command)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let status = try await run(fixture, "status")
      #expect(status.exit == .code(0), "\(status.errors)")
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      for path in files(below: "\(fixture.root)/spool") + files(below: "\(fixture.root)/state") {
        var facts = stat()
        #expect(stat(path, &facts) == 0 && facts.st_uid == OtherUser.id, "\(path)")
      }
    }
  }

  /// What another user may have put in the place of the daemon's own.
  @Test(arguments: [
    ("state/default/stream_position", Access(owner: 0, mode: 0o600)),
    ("state/default/stream_position", Access(owner: 0, mode: 0o644)),
    ("state/default/stream_position", Access(owner: 0, group: 65_534, mode: 0o660)),
    ("state/default", Access(owner: 0, mode: 0o700)),
    ("state/default", Access(owner: 0, group: 65_534, mode: 0o770)),
    ("spool/default", Access(owner: 0, mode: 0o755)), ("spool/.lock", Access(owner: 0, mode: 0o600)),
    ("state", Access(owner: 0, mode: 0o755)),
  ]) func refusesWhatIsNotItsUsers(_ name: String, _ access: Access) async throws {
    try await withFixture { fixture in
      fixture.simulator.produce(5)
      let first = try fixture.start(under: OtherUser.command)
      try await fixture.drained()
      #expect(try await first.terminated() == .code(0))
      try access.set("\(fixture.root)/\(name)")
      let daemon = try fixture.start(
        Executable.stopping, environment: ["END_WHEN_BLOCKED": "1"], under: OtherUser.command)
      #expect(
        try await daemon.ended() == .code(name.contains("default") ? 65 : 78),
        "\(name) \(access): \(fixture.lastLines(3))")
      #expect(fixture.lastLines(2).isTwoLines && fixture.lastLines(2).contains("\(fixture.root)/\(name)"))
    }
  }

  @Test func refusesASecretThatItsGroupReads() async throws {
    try await withFixture { fixture in
      try Access(mode: 0o640).set("\(fixture.root)/client-secret")
      let daemon = try fixture.start(under: OtherUser.command)
      #expect(try await daemon.ended() == .code(78))
      #expect(fixture.lastLines(2).contains("open to others (mode 0640)"))
    }
  }

  // MARK: Commands

  @Test func namesWhoMayRead() async throws {
    try await withFixture { fixture in
      // The daemon is root's.
      try Access(owner: 0, mode: 0o600).set("\(fixture.root)/client-secret")
      fixture.simulator.produce(5)
      let daemon = try fixture.start()
      try await fixture.drained()
      let group = try #require(getgrgid(1).map { String(cString: $0.pointee.gr_name) })
      try Access(owner: 0, group: 1, mode: 0o750).set("\(fixture.root)/spool")
      for command in ["tail", "verify"] {
        let outcome = try await run(fixture, command)
        #expect(outcome.exit == .code(78), "\(command): \(outcome.errors)")
        #expect(outcome.errors.contains("cannot open /spool: Permission denied\n"), "\(outcome.errors)")
        #expect(outcome.errors.contains("add the user to the group \(group): "), "\(outcome.errors)")
      }
      try #require(chmod("\(fixture.root)/spool", 0o755) == 0)
      let position = try await run(fixture, "position", "show", "default")
      #expect(position.exit == .code(78))
      #expect(
        position.errors.contains("cannot open /state: Permission denied\n  Use sudo."), "\(position.errors)")
      try #require(chmod("\(fixture.root)/status.sock", 0o600) == 0)
      let status = try await run(fixture, "status")
      #expect(status.exit == .code(69))
      #expect(status.errors.contains("/status.sock: permission denied\n  Use sudo."), "\(status.errors)")
      #expect(try await daemon.terminated() == .code(0))
    }
  }
}
