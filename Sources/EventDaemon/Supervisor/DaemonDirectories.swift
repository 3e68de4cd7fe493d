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
    do throws(StoreFailure) {
      return try root(path, on: disk, access: access)
    } catch {
      guard error.errno == EPERM, let userID = try? disk.status(ofRoot: path).owner, userID != disk.userID
      else { throw error }
      var failure = error
      let owner = getpwuid(userID).map { String(cString: $0.pointee.pw_name) } ?? "\(userID)"
      failure.hint =
        geteuid() == 0
        ? "Don't run it as root: systemctl start box-eventd, or run it as the user \(owner)."
        : access.ownerRemedy(path, user: Access.userName)
      throw failure
    }
  }
}

extension DiskDirectory.Access {
  /// What to do where this process can't make a directory of the configuration.
  func remedy(_ path: String, errno: CInt) -> String {
    // Those of the unit are covered by it, once they are there.
    if errno == EROFS, !Self.isOfUnit(path) { return StoreFailure.readOnlyHint }
    // Under the unit also where the directory exists.
    if errno == EACCES, Self.isHidden(path) { return Self.hiddenHint }
    let group = readers.map { " -g \($0)" } ?? ""
    return "Run as root: install -d -o \(Self.userName) -m \(mode)\(group) \(path)."
  }

  /// What to do where a directory belongs to another user than the service's.
  func ownerRemedy(_ path: String, user: String) -> String {
    let owner = readers.map { "\(user):\($0)" } ?? user
    return
      "Run as root: chown \(owner) \(path) && chmod \(mode) \(path). If a file system belongs there, mount it "
      + "first."
  }

  /// The group of a spool's readers, where the package has made it.
  private var readers: String? {
    self == .shared && getgrnam(GroupAccess.readers) != nil ? GroupAccess.readers : nil
  }

  private var mode: String { self == .own ? "0700" : readers == nil ? "0750" : "2750" }

  /// This process's user.
  static var userName: String {
    getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
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
