import BoxEvents
import FoundationEssentials

extension StatusReport {
  /// The report as one JSON object, keys in the documented order, with a newline at its end already.
  package var json: String {
    var object = JSONObjectWriter()
    object.add("version", version)
    object.add("state", state)
    object.add("since", since)
    object.add("streams", raw: "[" + streams.map(\.json).joined(separator: ",") + "]")
    return object.text + "\n"
  }

  /// Reads a report another process has written.
  /// - Throws: if it is none.
  package init(parsing json: [UInt8]) throws(StatusFailure) {
    do {
      self = try JSONDecoder().decode(StatusReport.self, from: Data(json))
    } catch {
      throw StatusFailure(
        .unreadable, "the daemon's answer is no status report",
        hint: "is another program listening on its socket? restart the service")
    }
  }
}

extension StatusReport.Stream {
  fileprivate var json: String {
    var object = JSONObjectWriter()
    object.add("name", name)
    object.add("state", state)
    object.add("stream_position", streamPosition)
    object.add("events_total", eventsTotal)
    object.add("duplicates_total", duplicatesTotal)
    object.add("gaps_total", gapsTotal)
    object.add("bytes_total", bytesTotal)
    object.add("last_event_at", lastEventAt)
    object.add("last_commit_at", lastCommitAt)
    object.add("position_age_seconds", positionAgeSeconds)
    object.add("retention_left_seconds", retentionLeftSeconds)
    object.add("error", error)
    return object.text
  }
}
