import Glibc
import SystemPackage

/// How a user gets access to what a group may read.
enum GroupAccess {
  /// The remedy where permission for a file or directory is missing.
  static func hint(_ path: String) -> String {
    guard let group = group(of: path) else { return "Use sudo." }
    return
      "Use sudo, or add the user to the group \(group): sudo usermod -aG \(group) USER. It counts from the next "
      + "login on."
  }

  /// Of the path, or of the directory above it that can't be entered: the nearest one that can be seen. Nil where the
  /// group gives nothing, or would give more than this: root's, and the daemon's own, which may read its secrets.
  private static func group(of path: String) -> String? {
    var path = FilePath(path)
    var status = try? Stat(path)
    while status == nil, path.removeLastComponent() { status = try? Stat(path) }
    guard let status, status.permissions.rawValue & 0o040 != 0,
      let entry = getgrgid(status.groupID.rawValue)
    else { return nil }
    let name = String(cString: entry.pointee.gr_name)
    return ["root", "box-eventd"].contains(name) ? nil : name
  }
}
