import Glibc
package import Spool

/// A disk on a file system without symbolic links, or one that can't sync directories, as some of FUSE, exFAT and CIFS.
package final class PlainDisk: ForwardingDisk {
  package let base: any Disk
  private let linkErrno: Int32?
  private let directorySyncErrno: Int32?

  package init(_ base: any Disk, linkErrno: Int32? = nil, directorySyncErrno: Int32? = nil) {
    self.base = base
    self.linkErrno = linkErrno
    self.directorySyncErrno = directorySyncErrno
  }

  package func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    if let linkErrno { throw DiskError(.link, errno: linkErrno) }
    try base.makeLink(name, to: target, in: directory)
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    if let directorySyncErrno { throw DiskError(.synchronize, errno: directorySyncErrno) }
    try base.synchronizeDirectory(handle)
  }
}
