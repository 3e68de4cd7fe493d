import BoxSimulator
import Glibc
import Testing

/// SIGHUP: what changed is taken over, what didn't goes on undisturbed.
@Suite struct ReloadTests {
  private static var options: SimulatorOptions {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "201", "202", "203"]
    return options
  }

  @Test func addsAndRemovesStreamsAndLeavesTheOthersAlone() async throws {
    try await withPlace(Self.options) { place in
      place.settings.streams = [.init(name: "kept", asUser: "201"), .init(name: "removed", asUser: "202")]
      place.configure()
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 2 }
      let before = place.calls(asUser: "201")

      place.settings.streams[1] = .init(name: "added", asUser: "203")
      place.configure()
      daemon.signal(SIGHUP)
      try await place.logged("reload done")
      place.simulator.produce(4, user: "203")
      try await place.drained("added", user: "203")
      try await place.simulator.wait { $0.heldPolls == 2 }
      #expect(place.calls(asUser: "201") == before)

      for user in ["201", "202", "203"] { place.simulator.produce(3, user: user) }
      try await place.drained("kept", user: "201")
      try await place.drained("added", user: "203")
      #expect(place.spoolSize("removed") == 0)
      #expect(try await place.status().streams.map(\.name) == ["added", "kept"])

      // Taken up again, it goes on where it was.
      place.settings.streams.append(.init(name: "removed", asUser: "202"))
      place.configure()
      daemon.signal(SIGHUP)
      try await place.drained("removed", user: "202")
      #expect(try await daemon.terminated() == .code(0))
      for (stream, user) in [("kept", "201"), ("removed", "202"), ("added", "203")] {
        place.expectWhole(stream, user: user)
      }
    }
  }

  @Test func takesOverAnotherSecretFile() async throws {
    try await withPlace { place in
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      writeFile("\(place.root)/client-secret", Array("useless".utf8))
      writeFile("\(place.root)/second", Array(place.simulator.options.credentials.clientSecret.utf8))
      place.settings.auth[3] = #"client_secret_file = "\#(place.root)/second""#
      place.configure()
      daemon.signal(SIGHUP)
      try await place.logged("reload done")
      place.simulator.expireTokens()
      place.simulator.produce(3)
      try await place.drained()
      #expect(!place.log.contains("cannot sign in"))
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole()
    }
  }

  @Test func aBadFileLeavesTheOldOneInForce() async throws {
    try await withPlace { place in
      let manager = try ServiceManager(path: "\(place.root)/notify")
      let daemon = try place.start(environment: manager.environment)
      try await place.simulator.wait { $0.heldPolls == 1 }
      let options = place.simulator.statistics.requests(.options)
      for bad in ["[[stream]]\nname = 7\n", "[spool", "[spool]\nsegment_sice = 1\n", ""] {
        let reloads = manager.messages(with: "RELOADING").count
        writeFile(place.configuration, Array(bad.utf8), mode: 0o644)
        daemon.signal(SIGHUP)
        try await manager.told("RELOADING", times: reloads + 1)
        try await manager.told("READY", times: reloads + 2)
        #expect(
          place.log.split(separator: "\n").count { $0.contains("the old one stays in force") } > reloads)
      }
      place.simulator.produce(3)
      try await place.drained()
      #expect(place.simulator.statistics.requests(.options) == options)
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole()
    }
  }

  @Test func keysThatAreFixedAreNamedAndRefused() async throws {
    try await withPlace { place in
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      place.settings.spool.append(#"segment_size = "2MiB""#)
      place.settings.socket = "\(place.root)/other.sock"
      // Not even what could be taken over is, beside it.
      place.settings.streams.append(.init(name: "added"))
      place.configure()
      daemon.signal(SIGHUP)
      try await place.logged("[spool] segment_size has changed")
      try await place.logged("[status] socket has changed")
      #expect(!place.log.contains("reload done"))
      #expect(directoryNames("\(place.root)/spool").contains("added") == false)
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func aNewLogLevelCountsAtOnce() async throws {
    try await withPlace { place in
      place.settings.level = "error"
      place.configure()
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(place.log.isEmpty)
      place.settings.level = "info"
      place.configure()
      daemon.signal(SIGHUP)
      try await place.logged("reload done")
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func manyReloadsAtOnce() async throws {
    try await withPlace(Self.options) { place in
      place.settings.streams = [.init(name: "kept", asUser: "201")]
      place.configure()
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      for round in 0..<20 {
        place.settings.streams = [.init(name: "kept", asUser: "201")]
        if round % 2 == 0 { place.settings.streams.append(.init(name: "flickering", asUser: "202")) }
        place.configure()
        place.simulator.produce(20, user: "201")
        place.simulator.produce(20, user: "202")
        daemon.signal(SIGHUP)
      }
      place.settings.streams = [.init(name: "kept", asUser: "201"), .init(name: "flickering", asUser: "202")]
      place.configure()
      daemon.signal(SIGHUP)
      try await place.drained("kept", user: "201")
      try await place.drained("flickering", user: "202")
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole("kept", user: "201")
      place.expectWhole("flickering", user: "202")
    }
  }
}

extension Place {
  /// Calls of OPTIONS and polls for this user so far.
  fileprivate func calls(asUser user: String) -> Int {
    simulator.requests.count { $0.endpoint == .options && $0.header("As-User") == user }
  }
}
