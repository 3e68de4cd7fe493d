import BoxEvents
import Glibc
import Spool

/// The spool and the state directory, locked by this process.
struct DaemonDirectories: Sendable {
  let spool: DiskDirectory
  let state: DiskDirectory

  /// Opens both, creates the last part of their paths if it is missing, and takes their locks.
  init(_ configuration: Configuration, on disk: any Disk = LocalDisk()) throws(DaemonFailure) {
    try configuration.checkDirectoriesAreApart()
    do throws(StoreFailure) {
      spool = try DiskDirectory.opened(configuration.spool.directory, on: disk, access: .shared)
      state = try DiskDirectory.opened(configuration.state.directory, on: disk, access: .own)
      do throws(StoreFailure) {
        for directory in [state, spool] { try directory.lock(processID: getpid()) }
      } catch {
        release()
        throw error
      }
    } catch {
      throw DaemonFailure(error)
    }
  }

  /// The state directory alone, without its lock, for commands beside a running daemon.
  static func openState(_ configuration: Configuration) throws(DaemonFailure) -> DiskDirectory {
    try DaemonFailure.mapping { () throws(StoreFailure) in
      try DiskDirectory.opened(configuration.state.directory, on: LocalDisk(), access: .own)
    }
  }

  func release() {
    state.close()
    spool.close()
  }
}

extension DiskDirectory {
  /// Opens a directory of the configuration; its last part is created if it is missing.
  static func opened(_ path: String, on disk: any Disk, access: Access) throws(StoreFailure) -> Self {
    if mkdir(path, access == .own ? 0o700 : 0o750) != 0, errno != EEXIST {
      throw StoreFailure(
        .refused, "can't create \(path): \(String(cString: strerror(errno)))",
        hint: access.remedy(path, errno: errno), errno: errno)
    }
    return try root(path, on: disk, access: access)
  }
}

extension DiskDirectory.Access {
  /// What to do where this process can't make a directory of the configuration.
  func remedy(_ path: String, errno: CInt) -> String {
    // Those of the unit are covered by it, once they are there.
    if errno == EROFS, !Self.isOfUnit(path) { return StoreFailure.readOnlyHint }
    // Under the unit also where the directory exists.
    if errno == EACCES, Self.isHidden(path) { return Self.hiddenHint }
    let owner = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
    let readers = GroupAccess.readers
    let isForReaders = self == .shared && getgrnam(readers) != nil
    let mode = isForReaders ? "-m 2750 -g \(readers)" : self == .own ? "-m 0700" : "-m 0750"
    return "Run as root: install -d -o \(owner) \(mode) \(path)."
  }

  /// Whether a path is the spool's or the state's of the packaged units.
  static func isOfUnit(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    return parts.count == 3 && (parts[1] == "spool" || parts[1] == "lib") && parts[0] == "var"
      && (parts[2] == "box-eventd" || parts[2].hasPrefix("box-eventd@"))
  }

  static let hiddenHint =
    "The unit sees nothing below /home, /root, /run/user and /tmp: choose another place."

  /// Whether `ProtectHome=` of the unit hides a path: systemd.exec(5).
  static func isHidden(_ path: String) -> Bool {
    ["/home/", "/root/", "/run/user/"].contains { path.hasPrefix($0) }
  }
}
