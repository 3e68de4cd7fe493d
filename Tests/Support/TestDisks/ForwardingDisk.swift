package import Spool

/// A disk that hands its calls on to another one: what a disk with a fault or an observer begins with, and
/// then replaces the calls it is about.
package protocol ForwardingDisk: Disk {
  var base: any Disk { get }
}

extension ForwardingDisk {
  package var userID: UInt32 { base.userID }

  package func openRoot(_ path: String) throws(DiskError) -> DiskHandle { try base.openRoot(path) }

  package func status(ofRoot path: String) throws(DiskError) -> FileStatus { try base.status(ofRoot: path) }

  package func replace(_ handle: DiskHandle, with other: DiskHandle) throws(DiskError) {
    try base.replace(handle, with: other)
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try base.openDirectory(name, in: directory)
  }

  package func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try base.makeDirectory(name, in: directory, mode: mode)
  }

  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    try base.openFile(name, in: directory, writing: writing)
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try base.createFile(name, in: directory, mode: mode)
  }

  package func close(_ handle: DiskHandle) { base.close(handle) }

  package func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus { try base.status(handle) }

  package func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus {
    try base.status(of: name, in: directory)
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    try base.setMode(handle, mode)
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try base.read(handle, into: buffer, at: offset)
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try base.write(handle, bytes, at: offset)
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try base.truncate(handle, to: size)
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) { try base.synchronizeData(handle) }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try base.synchronizeDirectory(handle)
  }

  package func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    try base.names(in: directory)
  }

  package func makeLink(
    _ name: String, to target: String, in directory: DiskHandle
  ) throws(DiskError) {
    try base.makeLink(name, to: target, in: directory)
  }

  package func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try base.readLink(name, in: directory)
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try base.rename(old, to: new, in: directory)
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try base.remove(name, in: directory)
  }

  package func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 { try base.freeBytes(handle) }

  package func lock(_ handle: DiskHandle) throws(DiskError) -> Bool { try base.lock(handle) }
}
