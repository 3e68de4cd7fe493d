internal import Logging

extension Logger.Metadata {
  /// What counts for one event: the handler's, over it the provider's, over it the event's own. An error
  /// given to the logger is the `detail`, where there is no other.
  func merged(with provider: Logger.MetadataProvider?, and event: LogEvent) -> Logger.Metadata {
    var all = merging(provider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
    if let error = event.error, all["detail"] == nil {
      all["detail"] = "\(error)"
    }
    return all
  }
}
