/// The kinds of stream Box offers. The raw value is Box's `stream_type`.
///
/// Source: <https://developer.box.com/reference/get-events/>, `stream_type`.
package enum StreamType: String, Sendable, CaseIterable {
  case all
  case changes
  case sync
  case adminLogsStreaming = "admin_logs_streaming"
  case adminLogs = "admin_logs"

  /// User streams have realtime servers; enterprise streams are read at an interval.
  package var hasRealtimeServer: Bool {
    switch self {
    case .all, .changes, .sync: true
    case .adminLogsStreaming, .adminLogs: false
    }
  }

  /// How long Box keeps events. A position older than this gets no error, only what is left.
  package var retention: Duration {
    switch self {
    case .all, .changes: .seconds(21 * 86_400)
    case .sync: .seconds(31 * 86_400)
    case .adminLogsStreaming: .seconds(14 * 86_400)
    case .adminLogs: .seconds(365 * 86_400)
    }
  }
}
