import Glibc
package import Spool

/// A disk on a file system that lacks symbolic links, syncs of directories, permissions or locks, as some of FUSE, exFAT,
/// CIFS and NFS.
package final class PlainDisk: ForwardingDisk {
  package let base: any Disk
  private let linkErrno: Int32?
  private let directorySyncErrno: Int32?
  private let modeErrno: Int32?
  private let lockErrno: Int32?

  package init(
    _ base: any Disk, linkErrno: Int32? = nil, directorySyncErrno: Int32? = nil, modeErrno: Int32? = nil,
    lockErrno: Int32? = nil
  ) {
    self.base = base
    (self.modeErrno, self.lockErrno) = (modeErrno, lockErrno)
    self.linkErrno = linkErrno
    self.directorySyncErrno = directorySyncErrno
  }

  package func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    if let linkErrno { throw DiskError(.link, errno: linkErrno) }
    try base.makeLink(name, to: target, in: directory)
  }

  /// Without permissions every file has the mode of the mount.
  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try base.createFile(name, in: directory, mode: modeErrno == nil ? mode : 0o700)
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    if let modeErrno { throw DiskError(.setMode, errno: modeErrno) }
    try base.setMode(handle, mode)
  }

  package func lock(_ handle: DiskHandle) throws(DiskError) -> Bool {
    if let lockErrno { throw DiskError(.lock, errno: lockErrno) }
    return try base.lock(handle)
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    if let directorySyncErrno { throw DiskError(.synchronize, errno: directorySyncErrno) }
    try base.synchronizeDirectory(handle)
  }
}
