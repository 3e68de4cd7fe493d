import AsyncHTTPClient
import BoxSimulator
import NIOCore
import NIOHTTP1
import Testing

/// A plain HTTP client: one request, one answer.
struct TestClient {
  struct Reply {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  let simulator: BoxSimulator
  let http: HTTPClient
  var token = "simulator-access-token"

  /// Runs `body` with a simulator and a client of it.
  static func run(
    _ options: SimulatorOptions = SimulatorOptions(), _ body: (BoxSimulator, TestClient) async throws -> Void
  ) async throws {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.read = .seconds(90)
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      try await BoxSimulator.run(options) { simulator in
        try await body(simulator, TestClient(simulator: simulator, http: http))
      }
      try await http.shutdown()
    } catch {
      try? await http.shutdown()
      throw error
    }
  }

  func send(
    _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: String? = nil
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers = headers
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let response = try await http.execute(request, timeout: .seconds(90))
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return Reply(
      status: Int(response.status.code), headers: response.headers, body: Array(bytes.readableBytesView))
  }

  /// `GET /events?QUERY` with the token.
  func events(_ query: String = "", headers: HTTPHeaders = [:]) async throws -> Reply {
    var headers = headers
    headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)")
    return try await send(.GET, "\(simulator.apiURL)/events?\(query)", headers: headers)
  }

  /// `OPTIONS /events?QUERY` with the token.
  func options(_ query: String = "", headers: HTTPHeaders = [:]) async throws -> Reply {
    var headers = headers
    headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)")
    return try await send(.OPTIONS, "\(simulator.apiURL)/events?\(query)", headers: headers)
  }

  /// The realtime URL that OPTIONS answers.
  func pollURL(_ query: String = "", headers: HTTPHeaders = [:]) async throws -> String {
    let text = try await options(query, headers: headers).text
    return try #require(text.firstMatch(of: #/"url":"([^"]+)"/#).map { String($0.1) })
  }

  /// `POST /oauth2/token` with these fields.
  func grant(_ fields: KeyValuePairs<String, String>) async throws -> Reply {
    let form = fields.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    return try await send(.POST, simulator.tokenURL, body: form)
  }
}
