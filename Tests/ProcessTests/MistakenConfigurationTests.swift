import BoxSimulator
import Testing

/// Commands that are needed while the configuration has a mistake work with what can be read of it.
@Suite struct MistakenConfigurationTests {
  @Test(arguments: [
    "subject = ", "clientid = 5", "[box\napi_url = \"https://elsewhere.example\"", "x = \"\"\"", "[[stream]]",
  ]) func readingCommandsGoOn(_ mistake: String) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(3)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      writeFile(
        fixture.configuration, Array((fixture.settings.text + "\n" + mistake + "\n").utf8), mode: 0o644)
      let commands = [["status", "--json"], ["tail"], ["verify"], ["position", "show", "default"]]
      for command in commands {
        let (child, name) = try fixture.begin(command + ["--config", fixture.configuration])
        let outcome = try await fixture.outcome(of: child, name)
        #expect(outcome.exit == .code(0), "\(command): \(outcome.errors)")
        #expect(!outcome.output.isEmpty, "\(command)")
        #expect(outcome.errors.hasPrefix("box-eventd: warning: \(fixture.configuration):"), "\(command)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(command): \(outcome.errors)")
      }
      let check = try await fixture.run("check", "--config", fixture.configuration)
      #expect(check.exit == .code(78))
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// The socket is behind the mistake: its line is left out with it.
  @Test func theDaemonsSocketMayBeUnknown() async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let mistaken = fixture.settings.text.replacing("[status]", with: "[status")
      writeFile(fixture.configuration, Array(mistaken.utf8), mode: 0o644)
      let outcome = try await fixture.run("status", "--config", fixture.configuration)
      #expect(outcome.exit == .code(69))
      #expect(outcome.errors.contains("no listener on /run/box-eventd/status.sock"))
      #expect(outcome.errors.contains("the configuration can't be read"))
      #expect(outcome.errors.contains("--socket PATH"))
      let named = try await fixture.run("status", "--socket", "\(fixture.root)/status.sock")
      #expect(named.exit == .code(0) && named.errors.isEmpty && named.output.contains("default"))
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// Nothing to read: the default socket, where no daemon listens.
  @Test func withoutAConfigurationTheDefaultsHold() async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await fixture.run("verify", "--config", "\(fixture.root)/nowhere.toml")
      #expect(outcome.exit == .code(78))
      #expect(outcome.errors.contains("warning: \(fixture.root)/nowhere.toml: no such file; going on"))
      #expect(outcome.errors.contains("no stream configured"))
    }
  }
}
