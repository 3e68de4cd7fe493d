import Glibc

extension Configuration {
  /// Spool and state must be apart: both have a directory for every stream, and the readers of the spool may not
  /// read the state.
  /// - Throws: `DaemonFailure` where one is inside of the other, or both are the same, also by a link.
  func checkDirectoriesAreApart() throws(DaemonFailure) {
    let (spool, state) = (Self.resolved(self.spool.directory), Self.resolved(self.state.directory))
    let relation: String? =
      if spool == state {
        "is the same directory as"
      } else if state.starts(with: spool) {
        "is inside of"
      } else if spool.starts(with: state) {
        "contains"
      } else {
        nil
      }
    guard let relation else { return }
    throw DaemonFailure(
      .configuration,
      "[state] directory, \(self.state.directory), \(relation) [spool] directory, \(self.spool.directory)",
      hint: "Stop box-eventd, move one of them to a directory of its own, and name that in the configuration."
    )
  }

  /// The components of a path without links, as far as it exists.
  private static func resolved(_ path: String) -> [Substring] {
    var existing = path.split(separator: "/")
    var missing: [Substring] = []
    while true {
      if let real = realpath("/" + existing.joined(separator: "/"), nil) {
        defer { free(real) }
        return String(cString: real).split(separator: "/") + missing
      }
      guard let last = existing.popLast() else { return missing }
      missing.insert(last, at: 0)
    }
  }
}
