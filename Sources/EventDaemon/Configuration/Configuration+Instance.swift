extension Configuration {
  /// The directories of an instance of the unit template, which systemd tells only to the service itself:
  /// `/etc/box-eventd/NAME.toml` belongs to `box-eventd@NAME.service`. So `status` and its like find the
  /// instance from a shell too.
  ///
  /// - Returns: what the unit's environment says; empty for any other file.
  static func instanceEnvironment(of path: String) -> [String: String] {
    let folder = "/etc/box-eventd/"
    guard path.hasPrefix(folder), path.hasSuffix(".toml") else { return [:] }
    let name = path.dropFirst(folder.count).dropLast(".toml".count)
    guard !name.isEmpty, name != "box-eventd", !name.contains("/") else { return [:] }
    return [
      "SPOOL_DIRECTORY": "/var/spool/box-eventd@\(name)",
      "STATE_DIRECTORY": "/var/lib/box-eventd@\(name)",
      "RUNTIME_DIRECTORY": "/run/box-eventd@\(name)",
    ]
  }
}
