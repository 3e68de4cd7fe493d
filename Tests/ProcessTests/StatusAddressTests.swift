import BoxSimulator
import Glibc
import TestSystem
import Testing

/// The TCP address of the status is not essential: what it depends on may come later.
@Suite struct StatusAddressTests {
  @Test func collectsWhileThePortIsTakenAndTakesItOver() async throws {
    try await withTestEnvironment { fixture in
      var holder: DeadPort? = try DeadPort(.silent)
      let port = try #require(holder?.port)
      fixture.settings.listen = "127.0.0.1:\(port)"
      fixture.configure()
      fixture.simulator.produce(50)
      let check = try await fixture.run("check", "--config", fixture.configuration)
      #expect(check.exit == .code(0))
      #expect(check.output.contains("note    [status] listen, 127.0.0.1:\(port): Address already in use\n"))
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.logged("cannot listen on the status address")
      #expect(try await fixture.status().state == "running")
      holder = nil
      try await fixture.logged("listening on the status address")
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      #expect(SocketAddress.connect(descriptor, port: port) == 0)
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }
}
