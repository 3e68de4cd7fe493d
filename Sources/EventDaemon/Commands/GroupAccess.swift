import Glibc
import SystemPackage

extension Stat {
  /// Of the path, or of the nearest directory above it that can be seen.
  init?(nearest path: FilePath) {
    var path = path
    var status = try? Stat(path)
    while status == nil, path.removeLastComponent() { status = try? Stat(path) }
    guard let status else { return nil }
    self = status
  }
}

/// How a user gets access to what a group may read.
enum GroupAccess {
  /// The group of the packaged spool and status socket.
  static let readers = "box-eventd-readers"

  /// Its number where it has none.
  static func name(of group: gid_t) -> String {
    getgrgid(group).map { String(cString: $0.pointee.gr_name) } ?? "\(group)"
  }

  /// The remedy where permission for a file or directory is missing.
  /// - Parameter isSpool: one that was made elsewhere may not be for the readers' group.
  static func hint(_ path: String, isSpool: Bool = false) -> String {
    let group = group(of: path)
    let elsewhere = isSpool && group != readers ? " See A SPOOL ELSEWHERE in box-eventd(8)." : ""
    guard let group else { return "Use sudo." + elsewhere }
    return
      "Use sudo, or add the user to the group \(group): sudo usermod -aG \(group) USER. It counts from the next "
      + "login on." + elsewhere
  }

  /// Of the path, or of the directory above it that can't be entered: the nearest one that can be seen. Nil where the
  /// group gives nothing, or would give more than this: root's, and the daemon's own, which may read its secrets.
  private static func group(of path: String) -> String? {
    guard let status = Stat(nearest: FilePath(path)), status.permissions.rawValue & 0o040 != 0,
      let entry = getgrgid(status.groupID.rawValue)
    else { return nil }
    let name = String(cString: entry.pointee.gr_name)
    return ["root", "box-eventd"].contains(name) ? nil : name
  }
}
