import BoxClient
import BoxEvents
import Logging
import Spool

/// What `check --online` tries: for each stream an access token, and one OPTIONS (or, for a stream without realtime
/// servers, one read of its newest position).
package enum OnlineCheck {
  /// - Returns: a finding for each stream; and the failure of the command, if a stream can't be read.
  /// - Throws: `DaemonFailure` where the settings or the state directory can't be used.
  package static func run(
    _ configuration: Configuration, environment: [String: String]
  ) async throws -> (findings: [ConfigurationCheck.Finding], failure: DaemonFailure?) {
    try await BoxTransport.with(configuration, environment) { transport in
      let state = try DaemonDirectories.openState(configuration)
      defer { state.close() }
      let tokenRegistry = try TokenRegistry(
        configuration, environment, transport, state: state,
        logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
      var findings: [ConfigurationCheck.Finding] = []
      var failures: [FeedFailure] = []
      for stream in configuration.streams {
        let source = try DaemonFailure.mapping { () throws(ClientSettingsError) in
          try BoxSource(
            transport: transport, tokens: tokenRegistry.tokens(for: configuration.subject(of: stream)),
            settings: FeedSettings(configuration, stream))
        }
        let name = "stream \(stream.name)"
        do throws(FeedFailure) {
          try await check(source, hasRealtimeServer: stream.type.hasRealtimeServer)
          findings.append(.init(kind: .fine, message: "\(name): signed in, and Box answers"))
        } catch {
          findings.append(
            .init(kind: .problem, message: "\(name): \(error.message)", hint: error.hint ?? Self.waitHint))
          failures.append(error)
        }
      }
      await tokenRegistry.stop()
      return (findings, failure(failures, streamCount: configuration.streams.count))
    }
  }

  /// - Throws: where a secret can't be read before the service runs.
  package static func requireSecrets(
    of configuration: Configuration, _ credentials: [SecretFile.Kind: CredentialOrigin]
  ) throws(DaemonFailure) {
    guard let kind = configuration.secretKinds.first(where: { credentials[$0] == .unseen }) else { return }
    throw DaemonFailure(
      .unavailable, "signing in was not tried: \(kind.rawValue) can be read only while the service runs",
      hint: "Run: systemctl start \(configuration.unit). Then check again.")
  }

  private static func check(_ source: BoxSource, hasRealtimeServer: Bool) async throws(FeedFailure) {
    if hasRealtimeServer {
      _ = try await source.subscribe()
    } else {
      _ = try await source.read(ReadRequest(position: .now))
    }
  }

  private static func failure(_ failures: [FeedFailure], streamCount: Int) -> DaemonFailure? {
    guard let first = failures.first else { return nil }
    let refusals: Set = [FeedFailure.Code.signInRefused, .unauthorized, .forbidden]
    return DaemonFailure(
      failures.contains { refusals.contains($0.code) } ? .signIn : .unavailable,
      streamCount == 1
        ? "the stream can't be read" : "\(failures.count) of \(streamCount) streams can't be read",
      hint: first.hint ?? waitHint)
  }

  private static let waitHint = "Check again later. The daemon itself would keep trying."
}
