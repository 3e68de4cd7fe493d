import BoxSimulator
import Glibc
import Testing

/// A name whose look-up never ends, as with a name server that answers nothing: the calls to other names go on, and
/// SIGTERM doesn't wait for it.
@Suite(.enabled(if: PreloadedLibrary.isAvailable, "no C compiler here")) struct SilentNameTests {
  @Test func readsWhileARealtimeServersNameIsNotResolved() async throws {
    var options = SimulatorOptions()
    // Each call needs a new connection, and its name a look-up.
    options.keepAlive = .milliseconds(1)
    try await withTestEnvironment(options) { fixture in
      let body =
        #"{"entries":[{"type":"realtime_server","url":"https://silent.box.com/subscribe?channel=c","#
        + #""ttl":"10","max_retries":"10","retry_timeout":2}]}"#
      fixture.simulator.setFaultRates(.options, FaultRates([.init(.body(body), percent: 100)]))
      fixture.settings.box = fixture.settings.box.map { $0.replacing("127.0.0.1", with: "localhost") }
      fixture.configure()
      let daemon = try await start(fixture)
      fixture.simulator.produce(5)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.requests(.options) > 0 }
      // Read again after the poll that could not connect.
      let reads = fixture.simulator.statistics.requests(.events)
      fixture.simulator.produce(5)
      try await fixture.drained(within: .seconds(150))
      #expect(fixture.simulator.statistics.requests(.events) > reads)
      daemon.signal(SIGTERM)
      #expect(try await daemon.ended(within: .seconds(20)) == .code(0))
      fixture.expectIntact()
    }
  }

  @Test(arguments: ["token_url", "api_url"])
  func stopsWithoutWaitingForALookup(_ key: String) async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.box.removeAll { $0.hasPrefix(key) }
      fixture.settings.box.append("\(key) = \"https://silent.example.com/2.0\"")
      fixture.configure()
      let daemon = try await start(fixture)
      try await fixture.logged("started")
      if key == "api_url" { try await fixture.simulator.wait { $0.requests(.token) > 0 } }
      try await Task.sleep(for: .seconds(1))
      daemon.signal(SIGTERM)
      #expect(try await daemon.ended(within: .seconds(20)) == .code(0))
    }
  }

  @Test func collectsAndStopsWithoutTheStatusAddress() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.listen = "silent.example.com:9464"
      fixture.configure()
      fixture.simulator.produce(5)
      let daemon = try await start(fixture)
      try await fixture.drained()
      #expect(try await fixture.status().state == "running")
      daemon.signal(SIGTERM)
      #expect(try await daemon.ended(within: .seconds(20)) == .code(0))
      fixture.expectIntact()
      #expect(!fixture.log.contains("cannot listen on the status address"))
    }
  }

  /// Starts the daemon where names that begin with `silent.` are looked up without an end.
  private func start(_ fixture: TestEnvironment) async throws -> ChildProcess {
    let library = try await PreloadedLibrary.build(Self.source, named: "names", fixture)
    return try fixture.start(environment: ["LD_PRELOAD": library])
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <netdb.h>
    #include <string.h>
    #include <unistd.h>

    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
      while (name && strncmp(name, "silent.", 7) == 0) sleep(60);
      return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(name, service, hints, found);
    }

    """
}
