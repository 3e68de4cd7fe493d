import AsyncHTTPClient
import BoxEvents
package import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// The only place that talks HTTP: all streams' reads, tokens and long polls.
///
/// Long polls have clients of their own: on a shared one a poll would take the API's connection, and
/// the server closes it afterwards. Nothing is redirected, HTTP/1 only, and every call ends by itself.
package final class BoxTransport: Sendable {
  package let settings: TransportSettings
  private let api: HTTPClient
  private let polls: HTTPClient
  /// The same two through the proxy, if there is one.
  private let proxied: (api: HTTPClient, polls: HTTPClient)?

  /// - Parameter group: the event loops to run on; one thread is enough for thousands of streams.
  package init(settings: TransportSettings, group: any EventLoopGroup) {
    self.settings = settings
    var tls = TLSConfiguration.makeClientConfiguration()
    if let roots = settings.trustRoots { tls.trustRoots = .certificates(roots.certificates) }
    func client(_ configuration: HTTPClient.Configuration, proxied: Bool) -> HTTPClient {
      var configuration = configuration
      if proxied { configuration.proxy = settings.proxy?.configuration }
      return HTTPClient(eventLoopGroup: group, configuration: configuration)
    }
    let forAPI = Self.apiConfiguration(settings, tls)
    let forPolls = Self.pollConfiguration(settings, tls)
    api = client(forAPI, proxied: false)
    polls = client(forPolls, proxied: false)
    proxied =
      settings.proxy == nil
      ? nil : (client(forAPI, proxied: true), client(forPolls, proxied: true))
  }

  /// Ends what is under way and closes all connections. Must be called once.
  package func shutdown() async {
    for client in [api, polls, proxied?.api, proxied?.polls] {
      try? await client?.shutdown()
    }
  }

  /// Sends a request and collects its answer, whatever its status.
  ///
  /// A connection that turns out dead before a byte of the answer has come is no failure: the
  /// request is sent once more at once.
  func send(_ call: HTTPCall) async throws(FeedFailure) -> HTTPAnswer {
    guard let url = WebURL(call.url.reveal()) else {
      throw FeedFailure(.refused, "an address is no plain http or https URL")
    }
    let deadline = NIODeadline.now() + TimeAmount(timeLimit(call))
    var attempt = await attempt(call, url, deadline)
    if attempt.isRetryable, !Task.isCancelled {
      attempt = await self.attempt(call, url, deadline)
    }
    switch attempt.result {
    case .success(let answer): return answer
    case .failure(let error): throw failure(error, call, url)
    }
  }

  private func timeLimit(_ call: HTTPCall) -> Duration {
    switch call.lane {
    case .api: settings.requestTimeout
    case .poll(let timeout): timeout + settings.pollGrace
    }
  }

  private struct Attempt {
    var result: Result<HTTPAnswer, any Error>
    var isRetryable: Bool
  }

  private func attempt(_ call: HTTPCall, _ url: WebURL, _ deadline: NIODeadline) async -> Attempt {
    let exchange: Exchange
    let task: HTTPClient.Task<HTTPAnswer>
    do {
      let request = try HTTPClient.Request(
        url: url.description, method: call.method, headers: headers(call), body: call.body.map { .string($0) }
      )
      exchange = self.exchange(call)
      task = client(call, url).execute(request: request, delegate: exchange, deadline: deadline)
    } catch {
      return Attempt(result: .failure(error), isRetryable: false)
    }
    do {
      let answer = try await withTaskCancellationHandler {
        try await task.get()
      } onCancel: {
        task.cancel()
      }
      return Attempt(result: .success(answer), isRetryable: false)
    } catch {
      return Attempt(
        result: .failure(error), isRetryable: !exchange.hasAnswer && TransportFault.isDeadConnection(error))
    }
  }

  private func headers(_ call: HTTPCall) -> HTTPHeaders {
    var headers = call.headers
    headers.add(name: "User-Agent", value: "box-eventd/\(settings.version)")
    headers.add(name: "Accept", value: "application/json")
    // Where nothing is said, the HTTP library asks for compression by itself.
    if !headers.contains(name: "Accept-Encoding") { headers.add(name: "Accept-Encoding", value: "identity") }
    return headers
  }

  private func exchange(_ call: HTTPCall) -> Exchange {
    let bodyTimeout: TimeAmount? =
      switch call.lane {
      case .api: nil
      case .poll: TimeAmount(settings.pollBodyTimeout)
      }
    return Exchange(
      maximumBodyBytes: call.maximumBodyBytes, expectedBodyBytes: call.expectedBodyBytes,
      bodyTimeout: bodyTimeout)
  }

  private func client(_ call: HTTPCall, _ url: WebURL) -> HTTPClient {
    let proxied = settings.proxy?.applies(to: url) == true ? self.proxied : nil
    switch call.lane {
    case .api: return proxied?.api ?? api
    case .poll: return proxied?.polls ?? polls
    }
  }

  private func failure(_ error: any Error, _ call: HTTPCall, _ url: WebURL) -> FeedFailure {
    if Task.isCancelled { return .cancelled }
    if TransportFault.isTooLarge(error) { return call.tooLarge }
    return TransportFault.failure(error, host: url.host, settings: settings)
  }
}

extension BoxTransport {
  private static func apiConfiguration(
    _ settings: TransportSettings, _ tls: TLSConfiguration
  ) -> HTTPClient.Configuration {
    var configuration = commonConfiguration(settings, tls)
    configuration.timeout.read = TimeAmount(settings.readTimeout)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.apiConnections
    configuration.decompression = .enabled(limit: .size(settings.maximumPageBytes))
    let maximum = settings.receiveBufferBytes
    configuration.http1_1ConnectionDebugInitializer = { channel in
      channel.setOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: min(16_384, maximum), maximum: maximum)
      )
    }
    return configuration
  }

  // No read timeout: it would also count the hours of waiting for the head. The exchange watches the body.
  private static func pollConfiguration(
    _ settings: TransportSettings, _ tls: TLSConfiguration
  ) -> HTTPClient.Configuration {
    var configuration = commonConfiguration(settings, tls)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.pollConnections
    return configuration
  }

  private static func commonConfiguration(
    _ settings: TransportSettings, _ tls: TLSConfiguration
  ) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
    configuration.httpVersion = .http1Only
    configuration.timeout.connect = TimeAmount(settings.connectTimeout)
    configuration.connectionPool.idleTimeout = TimeAmount(settings.idleTimeout)
    // The feed's own rules back off; a failure is to be seen at once, not after the connect timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }
}

extension ProxySettings {
  fileprivate var configuration: HTTPClient.Configuration.Proxy {
    let parts = credentials?.reveal().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let authorization = parts.map {
      HTTPClient.Authorization.basic(username: String($0[0]), password: $0.count > 1 ? String($0[1]) : "")
    }
    return .server(host: host, port: port, authorization: authorization)
  }
}
