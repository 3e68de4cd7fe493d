/// Names one event stream: whose it is and of which type.
struct FeedKey: Hashable, Sendable {
  var user: String
  /// Box's `stream_type`.
  var type: String

  static let types = ["all", "changes", "sync", "admin_logs_streaming", "admin_logs"]

  /// Enterprise streams have no realtime server, and their positions are strings.
  var isEnterprise: Bool { type.hasPrefix("admin_logs") }
}
