import Glibc
import Spool
import SystemPackage

/// What keeps the spool's readers from the next segment: files get the group of a directory with the setgid bit, else
/// the daemon's own.
struct ReaderAccess {
  /// A directory whose new files go to another group than its readers', and the command that repairs it.
  struct Loss: Hashable {
    var message: String
    var hint: String
  }

  private let spool: String
  private let streams: [String]
  /// The daemon's group.
  private let group: gid_t

  init(_ configuration: Configuration, group: gid_t = getegid()) {
    (spool, self.group) = (configuration.spool.directory, group)
    streams = configuration.streams.map { "\(configuration.spool.directory)/\($0.name)" }
  }

  /// Those of the spool, else of the streams in it.
  func losses() -> [Loss] {
    guard let root = try? Stat(FilePath(spool)) else { return [] }
    let readers = getgrnam(GroupAccess.readers)?.pointee.gr_gid
    // The unit's spool is for the packaged group; any other one for the group that it has.
    let wanted =
      DiskDirectory.Access.isOfUnit(spool) ? readers ?? root.groupID.rawValue : root.groupID.rawValue
    if let loss = loss(spool, root, wanted) { return [loss] }
    return streams.compactMap { path in
      (try? Stat(FilePath(path), followTargetSymlink: false)).flatMap { loss(path, $0, wanted) }
    }
  }

  private func loss(_ path: String, _ status: Stat, _ wanted: gid_t) -> Loss? {
    guard status.type == .directory else { return nil }
    let isSetgid = status.permissions.rawValue & 0o2000 != 0
    let next = isSetgid ? status.groupID.rawValue : group
    // A directory that is closed to its group has no readers by it.
    let isReadable = status.permissions.rawValue & 0o050 == 0o050 || status.groupID.rawValue != wanted
    guard next != wanted, isReadable else { return nil }
    let name = GroupAccess.name(of: wanted)
    return Loss(
      message:
        "\(path): new files there belong to the group \(GroupAccess.name(of: next)), not to \(name): its "
        + "readers can't open the next segment",
      hint: "Run as root: chgrp -R \(name) \(path) && find \(path) -type d -exec chmod g+rxs {} +.")
  }
}
