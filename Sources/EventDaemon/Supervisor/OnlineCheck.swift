import BoxClient
package import BoxEvents
import Logging
import NIOCore
import NIOPosix
import Spool

/// What `check --online` tries: for each stream an access token, and one OPTIONS (or, for a stream
/// without realtime servers, one read of its newest position).
package struct OnlineCheck: Sendable {
  package struct Result: Sendable {
    package var stream: String
    /// Nil where it works.
    package var failure: FeedFailure?
  }

  private let configuration: Configuration
  private let environment: [String: String]

  package init(_ configuration: Configuration, environment: [String: String]) {
    self.configuration = configuration
    self.environment = environment
  }

  /// - Throws: `DaemonFailure` where the settings or the state directory can't be used.
  package func run() async throws -> [Result] {
    try await withTransport(configuration, environment) { transport in
      let state = try DaemonDirectories.openState(configuration)
      defer { state.close() }
      let tokenRegistry = try TokenRegistry(
        configuration: configuration, environment: environment,
        endpoint: TokenEndpoint(transport, configuration), refreshTokens: StoredRefreshToken(state),
        logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
      var results: [Result] = []
      for stream in configuration.streams {
        results.append(
          Result(stream: stream.name, failure: try await check(stream, transport, tokenRegistry)))
      }
      await tokenRegistry.awaitRenewal()
      return results
    }
  }

  private func check(
    _ stream: Configuration.Stream, _ transport: BoxTransport, _ tokenRegistry: TokenRegistry
  ) async throws -> FeedFailure? {
    let source = try settingsChecked { () throws(ClientSettingsError) in
      try BoxSource(
        transport: transport, tokens: tokenRegistry.tokens(for: configuration.subject(of: stream)),
        settings: FeedSettings(configuration, stream))
    }
    do throws(FeedFailure) {
      if stream.type.hasRealtimeServer {
        _ = try await source.subscribe()
      } else {
        _ = try await source.read(ReadRequest(position: .now))
      }
      return nil
    } catch {
      return error
    }
  }
}

/// Runs `body` with a transport that is shut down afterwards.
func withTransport<Value>(
  _ configuration: Configuration, _ environment: [String: String],
  _ body: (BoxTransport) async throws -> Value
) async throws -> Value {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let transport = try settingsChecked { () throws(ClientSettingsError) in
    BoxTransport(settings: try TransportSettings(configuration, environment: environment), group: group)
  }
  let result: Swift.Result<Value, any Error>
  do { result = .success(try await body(transport)) } catch { result = .failure(error) }
  await transport.shutdown()
  try? await group.shutdownGracefully()
  return try result.get()
}

extension TokenEndpoint {
  init(_ transport: BoxTransport, _ configuration: Configuration) throws(DaemonFailure) {
    self = try settingsChecked { () throws(ClientSettingsError) in
      try TokenEndpoint(transport: transport, url: configuration.box.tokenURL)
    }
  }
}

/// Turns a refused client setting into the daemon's failure.
func settingsChecked<Value>(_ body: () throws(ClientSettingsError) -> Value) throws(DaemonFailure) -> Value {
  do throws(ClientSettingsError) {
    return try body()
  } catch {
    throw DaemonFailure(error)
  }
}
