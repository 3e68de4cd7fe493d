import AsyncHTTPClient
import BoxEvents
import NIOCore
import NIOHTTP1

/// Collects one answer on the event loop: no thread changes, and each byte is copied once, to the page or to
/// what is decompressed at the end.
///
/// Unchecked: the HTTP library calls a delegate on its task's event loop alone, and `hasAnswer` is
/// read by others only after the task has ended.
final class Exchange: HTTPClientResponseDelegate, @unchecked Sendable {
  typealias Response = HTTPAnswer

  /// The body is longer than allowed, as it travels: neither form of it may be.
  struct TooLarge: Error {}
  /// The head came, the body did not in time.
  struct BodyStalled: Error {}

  private let maximumBodyBytes: Int
  private let expectedBodyBytes: Int
  /// Nil if the client's own read timeout watches the body.
  private let bodyTimeout: TimeAmount?
  private var status = 0
  private var headers: HTTPHeaders = [:]
  /// As it travels.
  private var body: [UInt8] = []
  private var isCompressed = false
  private var bodyTimer: Scheduled<Void>?
  private var isSent = false
  /// The head of an answer has arrived: the connection was alive.
  private(set) var hasAnswer = false

  /// Bytes of an error's text that are kept; the rest is read and dropped.
  static let maximumErrorBytes = 64 << 10
  /// Bytes that are reserved at most before an answer arrives, whatever length it announces.
  static let maximumReservedBytes = 4 << 20

  init(maximumBodyBytes: Int, expectedBodyBytes: Int, bodyTimeout: TimeAmount?) {
    self.maximumBodyBytes = maximumBodyBytes
    self.expectedBodyBytes = expectedBodyBytes
    self.bodyTimeout = bodyTimeout
  }

  /// Ends the call; with `unlessSent` only as long as nothing of the request has left. On the event loop, where no
  /// request can be sent between the look and the end.
  func cancel(_ task: HTTPClient.Task<HTTPAnswer>, unlessSent: Bool) {
    guard unlessSent else { return task.cancel() }
    task.eventLoop.execute { if !self.isSent { task.cancel() } }
  }

  func didSendRequestHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPRequestHead) { isSent = true }

  func didReceiveHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    hasAnswer = true
    status = Int(head.status.code)
    headers = head.headers
    isCompressed = headers.announceCompression
    if let bodyTimeout {
      bodyTimer = task.eventLoop.scheduleTask(in: bodyTimeout) { task.fail(reason: BodyStalled()) }
    }
    guard isSuccess else { return task.eventLoop.makeSucceededVoidFuture() }
    let expected = head.contentLength ?? (isCompressed ? 0 : expectedBodyBytes)
    guard expected <= maximumBodyBytes else { return task.eventLoop.makeFailedFuture(TooLarge()) }
    body.reserveCapacity(min(expected, Self.maximumReservedBytes))
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<HTTPAnswer>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
    if isSuccess {
      guard part.readableBytes <= maximumBodyBytes - body.count else {
        return task.eventLoop.makeFailedFuture(TooLarge())
      }
      part.withUnsafeReadableBytes { body.append(contentsOf: $0) }
    } else {
      let rest = min(Self.maximumErrorBytes, maximumBodyBytes) - body.count
      part.withUnsafeReadableBytes { body.append(contentsOf: $0.prefix(max(0, rest))) }
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didFinishRequest(task: HTTPClient.Task<HTTPAnswer>) throws -> HTTPAnswer {
    bodyTimer?.cancel()
    defer { body = [] }
    return HTTPAnswer(status: status, headers: headers, body: try decompressedBody())
  }

  private func decompressedBody() throws(Decompression.Failure) -> [UInt8] {
    // 204 has no body, whatever its head announces.
    guard isCompressed, status != 204 else { return body }
    if isSuccess { return try Decompression.contents(of: body, maximumBytes: maximumBodyBytes) }
    // The status counts, also without its text.
    return (try? Decompression.contents(of: body, maximumBytes: Self.maximumErrorBytes)) ?? []
  }

  func didReceiveError(task: HTTPClient.Task<HTTPAnswer>, _ error: any Error) { bodyTimer?.cancel() }

  private var isSuccess: Bool { 200..<300 ~= status }
}

extension HTTPResponseHead {
  /// The length of the body as it travels, if the answer announces one. The parser lets only numbers pass, also those
  /// that no `Int` holds.
  fileprivate var contentLength: Int? { headers.first(name: "content-length").map { Int($0) ?? .max } }
}
