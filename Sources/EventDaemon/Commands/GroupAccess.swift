import Glibc
import SystemPackage

/// How a user gets access to what a group may read.
enum GroupAccess {
  /// The remedy where permission for a file or directory is missing.
  /// - Parameter other: the group where the path's own can't be seen.
  static func hint(_ path: String, orElse other: String? = nil) -> String {
    guard let group = group(of: path) ?? other else { return "Use sudo." }
    return
      "Use sudo, or add the user to the group \(group): sudo usermod -aG \(group) USER. It counts from the next "
      + "login on."
  }

  /// Nil where the group can't be seen, gives nothing, or would give more than this: root's, and the daemon's own, which
  /// may read its secrets.
  private static func group(of path: String) -> String? {
    guard let status = try? Stat(FilePath(path)), status.permissions.rawValue & 0o040 != 0,
      let entry = getgrgid(status.groupID.rawValue)
    else { return nil }
    let name = String(cString: entry.pointee.gr_name)
    return ["root", "box-eventd"].contains(name) ? nil : name
  }
}
