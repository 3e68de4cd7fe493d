import Glibc
package import Spool

/// A disk one of whose calls that change something fails, is cut short, or is the last one of the process.
package final class FaultyDisk: ForwardingDisk, @unchecked Sendable {
  package enum Fault: Hashable, CaseIterable, Sendable {
    /// The process ends before the call.
    case diesBefore
    /// The process ends after the call.
    case diesAfter
    /// The process ends after half of a write.
    case diesHalfway
    /// The call fails once with ENOSPC, a write after half of it.
    case noSpace
    /// The call, if it is a sync, fails once with EDQUOT, as on NFS, and leaves its bytes clean and not durable.
    case noSpaceAtSync
    /// The call fails once with EIO; a sync leaves its bytes clean and not durable.
    case ioError
  }

  package let base: any Disk
  package let userID: UInt32
  private let fault: Fault?
  private let at: Int
  private let countsReads: Bool
  /// How many changing calls there were.
  package private(set) var calls = 0
  private var isDead = false

  /// - Parameters:
  ///   - at: which of the changing calls the fault strikes, counted from 1.
  ///   - countsReads: calls that change nothing count too, and may fail.
  package init(
    _ base: any Disk, _ fault: Fault? = nil, at: Int = 0, userID: UInt32? = nil, countsReads: Bool = false
  ) {
    self.countsReads = countsReads
    self.userID = userID ?? base.userID
    self.base = base
    self.fault = fault
    self.at = at
  }

  /// The fault has struck.
  package var hasStruck: Bool { fault != nil && calls >= at }

  private func change<Result>(
    _ operation: DiskError.Operation, half: (() throws(DiskError) -> Void)? = nil,
    _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    calls += 1
    try alive(operation)
    guard calls == at, let fault else { return try body() }
    switch fault {
    case .diesBefore:
      isDead = true
    case .diesAfter:
      _ = try body()
      isDead = true
    case .diesHalfway:
      try half?()
      isDead = true
    case .noSpace:
      // A sync that fails is another matter: `noSpaceAtSync`.
      if operation == .synchronize { return try body() }
      try half?()
      throw DiskError(operation, errno: ENOSPC)
    case .noSpaceAtSync:
      if operation != .synchronize { return try body() }
      throw DiskError(operation, errno: EDQUOT)
    case .ioError: break
    }
    throw DiskError(operation, errno: EIO)
  }

  private func look<Result>(
    _ operation: DiskError.Operation, _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    if countsReads { return try change(operation, body) }
    try alive(operation)
    return try body()
  }

  private func alive(_ operation: DiskError.Operation) throws(DiskError) {
    if isDead { throw DiskError(operation, errno: EIO) }
  }

  // MARK: Calls that change something

  package func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try change(.makeDirectory) { () throws(DiskError) in
      try base.makeDirectory(name, in: directory, mode: mode)
    }
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try change(.create) { () throws(DiskError) in
      try base.createFile(name, in: directory, mode: mode)
    }
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    try change(.setMode) { () throws(DiskError) in try base.setMode(handle, mode) }
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let half = { () throws(DiskError) in
      _ = try self.base.write(
        handle, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
    }
    return try change(.write, half: half) { () throws(DiskError) in
      try base.write(handle, bytes, at: offset)
    }
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try change(.truncate) { () throws(DiskError) in try base.truncate(handle, to: size) }
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    do throws(DiskError) {
      try change(.synchronize) { () throws(DiskError) in try base.synchronizeData(handle) }
    } catch {
      var none: Choices?
      if fault == .ioError || fault == .noSpaceAtSync { (base as? MemoryDisk)?.failSync(handle, &none) }
      throw error
    }
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try change(.synchronize) { () throws(DiskError) in try base.synchronizeDirectory(handle) }
  }

  package func makeLink(
    _ name: String, to target: String, in directory: DiskHandle
  ) throws(DiskError) {
    try change(.link) { () throws(DiskError) in try base.makeLink(name, to: target, in: directory) }
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try change(.rename) { () throws(DiskError) in try base.rename(old, to: new, in: directory) }
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try change(.remove) { () throws(DiskError) in try base.remove(name, in: directory) }
  }

  // MARK: Calls that only need a living process

  package func status(ofRoot path: String) throws(DiskError) -> FileStatus {
    try look(.status) { () throws(DiskError) in try base.status(ofRoot: path) }
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try look(.open) { () throws(DiskError) in try base.openDirectory(name, in: directory) }
  }

  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    try look(.open) { () throws(DiskError) in try base.openFile(name, in: directory, writing: writing) }
  }

  package func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    try look(.status) { () throws(DiskError) in try base.status(handle) }
  }

  package func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus {
    try look(.status) { () throws(DiskError) in try base.status(of: name, in: directory) }
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try look(.read) { () throws(DiskError) in try base.read(handle, into: buffer, at: offset) }
  }

  package func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    try look(.list) { () throws(DiskError) in try base.names(in: directory) }
  }

  package func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try look(.read) { () throws(DiskError) in try base.readLink(name, in: directory) }
  }
}
