import BoxClient
import BoxEvents
import Logging
import NIOCore

extension BoxTransport {
  /// Runs `body` with the transport that the configuration describes, and shuts it down afterwards.
  ///
  /// One event loop would serve thousands of streams; there are up to eight, so that servers' names are looked up
  /// independently.
  /// The disk has threads of its own. The end waits a second at most for connections that can't be closed and for
  /// look-ups: the process ends after it.
  /// - Throws: `DaemonFailure` where the settings can't be used; else what `body` throws.
  static func with<Value>(
    _ configuration: Configuration, _ environment: [String: String],
    _ body: (BoxTransport) async throws -> Value
  ) async throws -> Value {
    let group = GrowingEventLoopGroup(maximum: 8)
    let transport = try DaemonFailure.mapping { () throws(ClientSettingsError) in
      BoxTransport(settings: try TransportSettings(configuration, environment: environment), group: group)
    }
    let result: Result<Value, any Error>
    do { result = .success(try await body(transport)) } catch { result = .failure(error) }
    await transport.shutdown()
    await finish(within: .milliseconds(300)) { try? await group.shutdownGracefully() }
    return try result.get()
  }
}

extension TransportSettings {
  /// The client's settings as the configuration and the environment give them.
  init(_ configuration: Configuration, environment: [String: String]) throws(ClientSettingsError) {
    self.init(version: Version.current)
    maximumPageBytes = Int(configuration.box.maxPage.bytes)
    callsPerMinute = configuration.box.callsPerMinute
    trustRoots = try configuration.box.trustRoots()
    proxy = try configuration.proxy(environment: environment)
  }
}

extension Configuration {
  /// The proxy of [box], or else of the environment, with its secret as it is now.
  func proxy(environment: [String: String]) throws(ClientSettingsError) -> ProxySettings? {
    guard let proxy = box.proxy else { return try ProxySettings(environment: environment) }
    // That the secret can be read has been checked with the others.
    return try ProxySettings(setting: proxy, credentials: try? secret(.proxyAuth, environment: environment))
  }
}

extension Configuration.Box {
  /// The certificates of `ca_file`; nil where it isn't set.
  /// - Throws: a problem that names the file.
  func trustRoots() throws(ClientSettingsError) -> TrustRoots? {
    guard let caFile else { return nil }
    let contents: FileContents
    do throws(FileContents.Refusal) {
      contents = try FileContents(caFile, maximumSize: 16 << 20)
    } catch {
      throw ClientSettingsError("ca_file", "ca_file \(caFile): \(error.message)", hint: error.hint)
    }
    return try TrustRoots(pem: contents.bytes, path: caFile)
  }
}

extension TokenEndpoint {
  init(
    _ transport: BoxTransport, _ configuration: Configuration,
    _ observer: @escaping CallObserver = { _ in }
  ) throws(DaemonFailure) {
    self = try DaemonFailure.mapping { () throws(ClientSettingsError) in
      try TokenEndpoint(transport: transport, url: configuration.box.tokenURL, observer: observer)
    }
  }
}

extension Logger {
  /// Logs a call to Box that has ended, with nothing of what was sent or received.
  func log(_ stage: CallStage) {
    guard case .ended(let call) = stage else { return }
    debug("called Box", metadata: Self.metadata(of: call))
  }

  private static func metadata(of call: FinishedCall) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "endpoint": "\(call.endpoint)", "status": "\(call.code)",
      "milliseconds": "\(Int(call.duration / .milliseconds(1)))", "bytes": "\(call.bytes)",
    ]
    metadata["request_id"] = call.requestID.map { "\($0)" }
    return metadata
  }
}

extension FeedSettings {
  init(_ configuration: Configuration, _ stream: Configuration.Stream) {
    self.init(
      apiURL: configuration.box.apiURL, type: stream.type, asUser: stream.asUser,
      realtimeHosts: configuration.box.realtimeHosts.map(\.description))
  }
}
