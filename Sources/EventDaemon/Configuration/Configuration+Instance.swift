extension Configuration {
  /// The unit a configuration file belongs to: `box-eventd@NAME` for `/etc/box-eventd/NAME.toml`, which an
  /// instance of the template reads, `box-eventd` for any other.
  package static func unit(of path: String) -> String {
    instance(of: path).map { "box-eventd@\($0)" } ?? "box-eventd"
  }

  /// The directories of an instance of the unit template, which systemd tells only to the service itself.
  /// So `status` and its like find the instance from a shell too.
  ///
  /// - Returns: what the unit's environment says; empty for any other file.
  static func instanceEnvironment(of path: String) -> [String: String] {
    guard instance(of: path) != nil else { return [:] }
    let unit = unit(of: path)
    return [
      "SPOOL_DIRECTORY": "/var/spool/\(unit)",
      "STATE_DIRECTORY": "/var/lib/\(unit)",
      "RUNTIME_DIRECTORY": "/run/\(unit)",
    ]
  }

  private static func instance(of path: String) -> Substring? {
    let folder = "/etc/box-eventd/"
    guard path.hasPrefix(folder), path.hasSuffix(".toml") else { return nil }
    let name = path.dropFirst(folder.count).dropLast(".toml".count)
    return name.isEmpty || name == "box-eventd" || name.contains("/") ? nil : name
  }
}
