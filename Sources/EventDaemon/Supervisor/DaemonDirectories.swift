import BoxEvents
import Glibc
import Spool

/// The spool and the state directory, locked by this process.
struct DaemonDirectories: Sendable {
  let spool: DiskDirectory
  let state: DiskDirectory
  private let locks: [InstanceLock]

  /// Opens both, creates the last part of their paths if it is missing, and takes their locks.
  init(_ configuration: Configuration, on disk: any Disk = LocalDisk()) throws(DaemonFailure) {
    do throws(StoreFailure) {
      spool = try DiskDirectory.opened(configuration.spool.directory, on: disk, access: .shared)
      state = try DiskDirectory.opened(configuration.state.directory, on: disk, access: .own)
      let stateLock = try InstanceLock(state, processID: getpid())
      do throws(StoreFailure) {
        locks = [stateLock, try InstanceLock(spool, processID: getpid())]
      } catch {
        stateLock.release()
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
    for lock in locks { lock.release() }
    state.close()
    spool.close()
  }
}

extension DiskDirectory {
  /// Opens a directory of the configuration; its last part is created if it is missing.
  static func opened(_ path: String, on disk: any Disk, access: Access) throws(StoreFailure) -> Self {
    if mkdir(path, access == .own ? 0o700 : 0o750) != 0, errno != EEXIST {
      let hint = "Create it, owned by the user box-eventd runs as."
      throw StoreFailure(
        .refused, "can't create \(path): \(String(cString: strerror(errno)))",
        hint: errno == EROFS ? StoreFailure.readOnlyHint : hint, errno: errno)
    }
    return try root(path, on: disk, access: access)
  }
}
