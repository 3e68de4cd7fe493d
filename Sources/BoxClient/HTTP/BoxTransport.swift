import AsyncHTTPClient
import BoxEvents
import Glibc
package import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// The only place that talks HTTP: all streams' reads, tokens and long polls.
///
/// Long polls have clients of their own: on a shared one a poll would take the API's connection, and
/// the server closes it afterwards. Redirects are not followed, HTTP/1 only, and every call ends by itself.
package final class BoxTransport: Sendable {
  package let settings: TransportSettings
  private let group: any EventLoopGroup
  private let lanes: LookupLanes<any EventLoop>
  private let budget: CallBudget?
  private let gates: (api: CallGate, signIn: CallGate)
  private let direct: Clients
  private let proxied: Mutex<Proxied>

  private struct Clients {
    let api: HTTPClient
    let polls: PollClients

    init(_ settings: TransportSettings, _ proxy: ProxySettings?, _ group: any EventLoopGroup) {
      api = HTTPClient(eventLoopGroup: group, configuration: settings.apiConfiguration(proxy))
      let configuration = settings.pollConfiguration(proxy)
      polls = PollClients { HTTPClient(eventLoopGroup: group, configuration: configuration) }
    }
  }

  /// The way through the proxy, if one is set.
  private struct Proxied {
    var proxy: ProxySettings?
    var clients: Clients?
    /// Calls may be under way through proxies of earlier settings.
    var earlier: [Clients] = []
  }

  /// - Parameter group: the event loops to run on. One is enough for thousands of streams, but each looks up one name
  ///   at a time: see ``LookupLanes``.
  package init(settings: TransportSettings, group: any EventLoopGroup) {
    self.settings = settings
    self.group = group
    if let growing = group as? GrowingEventLoopGroup {
      lanes = LookupLanes(count: growing.maximum) { growing.loop($0) }
    } else {
      lanes = LookupLanes(Array(group.makeIterator()))
    }
    let budget = settings.callsPerMinute.map { CallBudget(callsPerMinute: $0) }
    self.budget = budget
    gates = (
      CallGate(limit: settings.callsAtOnce, budget: budget),
      CallGate(limit: settings.callsAtOnce, budget: budget)
    )
    direct = Clients(settings, nil, group)
    proxied = Mutex(Proxied())
    use(settings.proxy)
  }

  /// Takes another proxy, or the same with other credentials, from the next call on.
  package func use(_ proxy: ProxySettings?) {
    proxied.withLock { proxied in
      guard proxied.proxy != proxy else { return }
      if let clients = proxied.clients { proxied.earlier.append(clients) }
      proxied.proxy = proxy
      proxied.clients = proxy.map { Clients(settings, $0, group) }
    }
  }

  /// Ends all calls and closes all connections. Must be called once.
  ///
  /// The HTTP library waits for connections that are being made, and for a peer's end of TLS. After `limit` those
  /// are left alone: they end by their own time limits, or with the process.
  package func shutdown(within limit: Duration = .milliseconds(700)) async {
    let all = proxied.withLock { [direct] + $0.earlier + ($0.clients.map { [$0] } ?? []) }
    await finish(within: limit) {
      await withDiscardingTaskGroup { group in
        for client in all.flatMap({ [$0.api] + $0.polls.end() }) {
          group.addTask { try? await client.shutdown() }
        }
      }
    }
  }

  /// The loop on which the answers of the API arrive, unless it has several names.
  package var firstLoop: any EventLoop { lanes.first ?? group.next() }

  /// Runs streams where the answers of the API arrive.
  package var executor: EventLoopExecutor { EventLoopExecutor(firstLoop) }

  /// Calls that wait for their turn.
  package var waitingCalls: Int { gates.api.waiting + gates.signIn.waiting + (budget?.waiting ?? 0) }

  /// Sends a request when its turn has come, and collects its answer, whatever its status. A long poll has its turn
  /// at once: see ``sendAtOnce(_:_:)``.
  func send(
    _ call: HTTPCall, _ observer: CallObserver = { _ in }
  ) async throws(FeedFailure) -> HTTPAnswer {
    let gate = try await enter(call.endpoint, observer)
    defer { gate.leave() }
    return try await sendAtOnce(call, observer)
  }

  /// Waits for the turn of a call. ``CallGate/leave()`` must follow.
  func enter(
    _ endpoint: HTTPCall.Endpoint, _ observer: CallObserver
  ) async throws(FeedFailure) -> CallGate {
    let gate = endpoint.isOfSignIn ? gates.signIn : gates.api
    var isQueued = false
    let mayRun = await gate.enter { rounds, wait in
      isQueued = true
      observer(.queued(rounds: rounds, wait: wait))
    }
    guard mayRun else { throw .cancelled }
    if isQueued { observer(.began) }
    return gate
  }

  /// Sends a request and collects its answer, whatever its status.
  ///
  /// A connection that turns out dead before a byte of the answer has come is not a failure: the request
  /// is sent once more at once. A cancelled task ends the call at once, unless ``HTTPCall/mustBeAnswered``.
  func sendAtOnce(
    _ call: HTTPCall, _ observer: CallObserver = { _ in }
  ) async throws(FeedFailure) -> HTTPAnswer {
    let start = ContinuousClock.now
    let deadline = NIODeadline.now() + TimeAmount(timeLimit(call))
    var attempt = await attempt(call, deadline)
    if attempt.isRetryable, !Task.isCancelled { attempt = await self.attempt(call, deadline) }
    let duration = ContinuousClock.now - start
    switch attempt.result {
    case .success(let answer):
      observer(
        .ended(
          FinishedCall(
            endpoint: call.endpoint.name, code: "\(answer.status)", duration: duration,
            requestID: answer.requestID, bytes: answer.body.count)))
      return answer
    case .failure(let error):
      let failure = failure(error, call)
      let code = call.endpoint.isBrief && failure.interruption == .timedOut ? "quiet" : failure.code.rawValue
      observer(.ended(FinishedCall(endpoint: call.endpoint.name, code: code, duration: duration)))
      throw failure
    }
  }

  private func timeLimit(_ call: HTTPCall) -> Duration {
    switch call.endpoint {
    case .token, .options, .events: settings.requestTimeout
    // A sign-in waits for it, and can do without.
    case .user: min(settings.requestTimeout, .seconds(30))
    case .poll(let retryTimeout, let briefly): briefly ?? retryTimeout + settings.pollGrace
    }
  }

  private struct Attempt {
    var result: Result<HTTPAnswer, any Error>
    var isRetryable = false
  }

  private func attempt(_ call: HTTPCall, _ deadline: NIODeadline) async -> Attempt {
    let exchange = Exchange(
      maximumBodyBytes: call.endpoint.maximumBodyBytes(settings), expectedBodyBytes: call.expectedBodyBytes,
      bodyTimeout: call.endpoint.isPoll ? TimeAmount(settings.pollBodyTimeout) : nil)
    do {
      let task = try start(call, exchange, deadline)
      let answer = try await withTaskCancellationHandler {
        try await task.get()
      } onCancel: {
        exchange.cancel(task, unlessSent: call.mustBeAnswered)
      }
      return Attempt(result: .success(answer))
    } catch {
      return Attempt(
        result: .failure(error), isRetryable: !exchange.hasAnswer && TransportFault.isDeadConnection(error))
    }
  }

  /// Apart from ``attempt(_:_:)``, whose frame stays in memory as long as a poll.
  private func start(
    _ call: HTTPCall, _ exchange: Exchange, _ deadline: NIODeadline
  ) throws -> HTTPClient.Task<HTTPAnswer> {
    let request = try HTTPClient.Request(
      url: call.url.reveal().description, method: call.endpoint.method, headers: headers(call),
      body: call.body.map { .string($0) })
    let (clients, proxy) = clients(call)
    let (name, isPoll) = (proxy?.host ?? call.url.reveal().host, call.endpoint.isPoll)
    let loop: HTTPClient.EventLoopPreference =
      lanes.loop(for: name, isPoll: isPoll).map { .delegate(on: $0) } ?? .indifferent
    func execute(_ client: HTTPClient) -> HTTPClient.Task<HTTPAnswer> {
      client.execute(request: request, delegate: exchange, eventLoop: loop, deadline: deadline)
    }
    return isPoll ? clients.polls.start(execute) : execute(clients.api)
  }

  private func headers(_ call: HTTPCall) -> HTTPHeaders {
    var headers = call.headers
    headers.add(name: "User-Agent", value: "box-eventd/\(settings.version)")
    headers.add(name: "Accept", value: "application/json")
    // Without this header a server may choose.
    if !headers.contains(name: "Accept-Encoding") { headers.add(name: "Accept-Encoding", value: "identity") }
    return headers
  }

  /// The connections that a call takes, and the proxy they go through.
  private func clients(_ call: HTTPCall) -> (Clients, ProxySettings?) {
    proxied.withLock { proxied in
      guard let proxy = proxied.proxy, let clients = proxied.clients, proxy.applies(to: call.url.reveal())
      else { return (direct, nil) }
      return (clients, proxy)
    }
  }

  private func failure(_ error: any Error, _ call: HTTPCall) -> FeedFailure {
    if Task.isCancelled { return .cancelled }
    if TransportFault.isTooLarge(error) { return call.endpoint.tooLarge(settings) }
    var settings = settings
    settings.proxy = clients(call).1
    return TransportFault.failure(error, call.url.reveal().origin, settings)
  }
}

extension TransportSettings {
  fileprivate func apiConfiguration(_ proxy: ProxySettings?) -> HTTPClient.Configuration {
    var configuration = commonConfiguration(proxy)
    configuration.timeout.read = TimeAmount(readTimeout)
    // Calls wait for their turn before, so that this is never reached.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4 * callsAtOnce
    let maximum = receiveBufferBytes
    configuration.http1_1ConnectionDebugInitializer = { channel in
      channel.setOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: min(16_384, maximum), maximum: maximum)
      ).flatMap { AnswerCheck.add(to: channel) }
    }
    return configuration
  }

  // No read timeout: it would also count the hours of waiting for the head. The exchange watches the body.
  fileprivate func pollConfiguration(_ proxy: ProxySettings?) -> HTTPClient.Configuration {
    var configuration = commonConfiguration(proxy)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = pollConnections
    configuration.http1_1ConnectionDebugInitializer = Self.prepare
    return configuration
  }

  /// On a silent connection the kernel asks the peer after 60 s, and then every 15 s: a firewall that forgets idle
  /// connections, or a machine that was suspended, doesn't hide events for as long as a poll may last.
  /// Source: tcp(7), TCP_KEEPIDLE.
  private static let prepare: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
    let tcp = NIOBSDSocket.OptionLevel(rawValue: CInt(IPPROTO_TCP))
    @Sendable func set(_ option: CInt, _ value: Int) -> EventLoopFuture<Void> {
      let name = ChannelOptions.Types.SocketOption(level: tcp, name: .init(rawValue: option))
      return channel.setOption(name, value: value)
    }
    return channel.setOption(.socketOption(.so_keepalive), value: 1)
      .flatMap { set(TCP_KEEPIDLE, 60) }.flatMap { set(TCP_KEEPINTVL, 15) }.flatMap { set(TCP_KEEPCNT, 4) }
      .flatMap { AnswerCheck.add(to: channel) }
  }

  private func commonConfiguration(_ proxy: ProxySettings?) -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    // The library accepts TLS 1.0 otherwise. Source: RFC 8996, which deprecates 1.0 and 1.1.
    tls.minimumTLSVersion = .tlsv12
    if let roots = trustRoots { tls.trustRoots = .certificates(roots.certificates) }
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
    configuration.proxy = proxy?.configuration
    configuration.httpVersion = .http1Only
    configuration.timeout.connect = TimeAmount(connectTimeout)
    configuration.connectionPool.idleTimeout = TimeAmount(idleTimeout)
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

/// Does some work and returns at its end, or when `limit` is over: then the work goes on by itself. A cancelled task
/// waits all the same, and doesn't cancel the work.
/// - Parameter sleep: the clock.
package func finish(
  within limit: Duration,
  sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
  _ work: @escaping @Sendable () async -> Void
) async {
  let (ended, end) = AsyncStream.makeStream(of: Never.self)
  Task {
    await work()
    end.finish()
  }
  let timer = Task {
    try? await sleep(limit)
    end.finish()
  }
  await Task { for await _ in ended {} }.value
  timer.cancel()
}
