/// Where events come from: the driver's one view of the network.
///
/// Every call ends by itself: the source cancels a request that makes no progress. A cancelled
/// task ends a call at once with code `cancelled`.
package protocol EventSource: Sendable {
  /// `GET /events`: the bytes of one page, as the server sent them, decompressed.
  func read(_ request: ReadRequest) async throws(FeedFailure) -> PageAnswer

  /// `OPTIONS /events`: a realtime server to poll.
  func subscribe() async throws(FeedFailure) -> RealtimeServer

  /// The long poll: one reply, up to `server.retryTimeout` and 10 s later.
  func poll(_ server: RealtimeServer, from position: ReadPosition) async throws(FeedFailure) -> RealtimeReply
}

/// One read of the stream.
package struct ReadRequest: Hashable, Sendable {
  package var position: ReadPosition
  /// Events a page, 1 to ``maximumLimit``.
  package var limit: Int

  /// Box's highest `limit`.
  package static let maximumLimit = 500

  package init(position: ReadPosition, limit: Int = Self.maximumLimit) {
    self.position = position
    self.limit = limit
  }
}

/// The answer to a read, not parsed yet.
package struct PageAnswer: Sendable {
  package var body: [UInt8]
  /// The answer's `Date` header.
  package var date: BoxTime?
  /// The answer's `box-request-id`.
  package var requestID: String?

  package init(body: [UInt8], date: BoxTime? = nil, requestID: String? = nil) {
    self.body = body
    self.date = date
    self.requestID = requestID
  }
}
