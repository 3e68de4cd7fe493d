import BoxEvents
import Logging

extension Logger.Metadata {
  /// With what happened as `detail`, and what to do as `hint`.
  func explaining(_ error: some ExplainedError) -> Logger.Metadata {
    var metadata = self
    metadata["detail"] = "\(error.message)"
    if let hint = error.hint { metadata["hint"] = "\(hint)" }
    return metadata
  }
}
