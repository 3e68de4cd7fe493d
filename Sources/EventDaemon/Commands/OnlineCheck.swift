import BoxClient
package import BoxEvents
import Logging
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
    try await BoxTransport.with(configuration, environment) { transport in
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
    let source = try DaemonFailure.mapping { () throws(ClientSettingsError) in
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

extension OnlineCheck {
  /// The failure of the command, if a stream can't be read.
  package static func failure(_ results: [Result]) -> DaemonFailure? {
    let failures = results.compactMap(\.failure)
    guard let first = failures.first else { return nil }
    return DaemonFailure(
      failures.contains { $0.code == .signInRefused } ? .signIn : .unavailable,
      "\(failures.count) of \(results.count) streams can't be read",
      hint: first.hint ?? "See the problems above. The daemon itself would keep trying.")
  }
}
