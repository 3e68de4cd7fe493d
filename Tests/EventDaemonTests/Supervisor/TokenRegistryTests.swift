import BoxEvents
import Glibc
import Logging
import NIOPosix
import ScriptedHTTP
import Spool
import Testing

@testable import BoxClient
@testable import EventDaemon

@Suite(.timeLimit(.minutes(5))) struct TokenRegistryTests {
  private let folder: TemporaryFolder
  private let log = RecordedLog(from: .debug)

  init() throws { folder = try TemporaryFolder() }

  /// A registry of access tokens, at a server that answers `GET /users/me` with `owner`.
  private func run(
    owner: Reply, _ body: (TokenRegistry, Configuration, ScriptedServer) async throws -> Void
  ) async throws {
    try await ScriptedServer.run { _, _ in
      owner
    } _: { server in
      var configuration = try ConfigurationText.read(ConfigurationText.minimal)
      configuration.auth.method = .accessToken
      configuration.auth.subject = nil
      configuration.auth.accessTokenFile = try folder.write("token", "CANARY")
      configuration.box.apiURL = try #require(WebURL(server.origin + "/2.0"))
      configuration.state.directory = "\(folder.path)/state"
      let state = try DaemonDirectories.openState(configuration)
      defer { state.close() }
      let transport = BoxTransport(
        settings: TransportSettings(version: "1"), group: MultiThreadedEventLoopGroup.singleton)
      let registry = try TokenRegistry(
        configuration, [:], transport, state: state, logger: log.logger)
      try await body(registry, configuration, server)
      await transport.shutdown()
    }
  }

  private func feed(
    _ type: StreamType = .all, subject: String? = nil, asUser: String? = nil
  ) throws -> FeedIdentity {
    FeedIdentity(
      api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: subject.flatMap { Subject($0) },
      asUser: asUser, type: type)
  }

  /// One call for all streams of an account; none where the configuration tells.
  @Test func knowsTheOwnerWhereOnlyBoxDoes() async throws {
    try await run(owner: .answer(200, #"{"id":"123","enterprise":{"id":"456"}}"#)) { registry, _, server in
      #expect(try registry.owner(of: feed()) == nil)
      _ = try await registry.tokens(for: nil).token()
      _ = try await registry.tokens(for: nil).token()
      #expect(try registry.owner(of: feed()) == "123")
      #expect(try registry.owner(of: feed(.changes)) == "123")
      #expect(try registry.owner(of: feed(.adminLogs)) == "456")
      #expect(try registry.owner(of: feed(asUser: "9")) == nil)
      _ = try await registry.tokens(for: Subject("user:7")).token()
      #expect(try registry.owner(of: feed(subject: "user:7")) == nil)
      _ = try await registry.tokens(for: Subject("enterprise:456")).token()
      #expect(try registry.owner(of: feed(subject: "enterprise:456")) == "123")
      #expect(try registry.owner(of: feed(.adminLogs, subject: "enterprise:456")) == nil)
      #expect(server.requests.count == 2)
      #expect(log.entries.allSatisfy { !"\($0)".contains("CANARY") })
    }
  }

  @Test func logsAtDebugThatTheOwnerIsUnknown() async throws {
    try await run(owner: .answer(403)) { registry, _, _ in
      _ = try await registry.tokens(for: nil).token()
      #expect(try registry.owner(of: feed()) == nil)
      let entries = log.entries
      #expect(entries.contains { $0.level == .debug && $0.metadata["detail"] == "Box answered 403" })
      #expect(!entries.contains { $0.level > .notice })
    }
  }

  /// The account of a stream that was removed doesn't sign in any more.
  @Test func aReloadEndsUnusedSignIns() async throws {
    try await run(owner: .answer(403)) { registry, configuration, _ in
      let removed = registry.tokens(for: nil)
      let kept = registry.tokens(for: Subject("user:7"))
      _ = try await removed.token()
      var configuration = configuration
      for index in configuration.streams.indices { configuration.streams[index].subject = Subject("user:7") }
      await registry.reload(configuration)
      #expect(await removed.isStopped)
      #expect(await !kept.isStopped)
      #expect(try registry.owner(of: feed()) == nil)
      _ = try await kept.token()
    }
  }

  /// As the start does, a failure later names the file and what to do.
  @Test func aSecretThatCanNoLongerBeReadIsExplained() async throws {
    try await run(owner: .answer(403)) { registry, configuration, _ in
      let tokens = registry.tokens(for: nil)
      let path = try #require(configuration.auth.accessTokenFile)
      #expect(chmod(path, 0o644) == 0)
      let open = await #expect(throws: FeedFailure.self) { try await tokens.token() }
      #expect(open?.code == .signInRefused)
      #expect(open?.message == "access-token, \(path): open to others (mode 0644)")
      #expect(open?.hint == "Run: chmod 600 \(path).")
      #expect(unlink(path) == 0)
      // Ends the back-off.
      await registry.reload(configuration)
      let missing = await #expect(throws: FeedFailure.self) { try await tokens.token() }
      #expect(missing?.message == "access-token, \(path): no such file")
    }
  }
}
