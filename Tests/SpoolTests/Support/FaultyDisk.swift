import Glibc
import Spool
import Synchronization
import TestDisks

/// A disk whose calls that change something can fail, be cut short, or be the last ones of the process.
final class FaultyDisk: Disk {
  enum Fault: Hashable, CaseIterable {
    /// The process ends before the call.
    case diesBefore
    /// The process ends after the call.
    case diesAfter
    /// The process ends after half of a write.
    case diesHalfway
    /// The call fails once with ENOSPC, a write after half of it.
    case noSpace
    /// The call fails once with EIO; a sync leaves its bytes clean and not durable.
    case ioError
  }

  private struct State {
    var calls = 0
    var isDead = false
  }

  private let base: any Disk
  private let fault: Fault?
  private let at: Int
  private let state = Mutex(State())
  let userID: UInt32

  /// - Parameter at: which of the changing calls the fault injections, counted from 1.
  init(_ base: any Disk, _ fault: Fault? = nil, at: Int = 0, userID: UInt32? = nil) {
    self.userID = userID ?? base.userID
    self.base = base
    self.fault = fault
    self.at = at
  }

  /// How many changing calls there were.
  var calls: Int { state.withLock { $0.calls } }
  /// The fault has struck.
  var hasStruck: Bool { fault != nil && calls >= at }

  private func change<Result>(
    _ operation: DiskError.Operation, half: (() throws(DiskError) -> Void)? = nil,
    _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    let injections = state.withLock { state in
      state.calls += 1
      return state.calls == at
    }
    try alive(operation)
    guard injections, let fault else { return try body() }
    switch fault {
    case .diesBefore:
      state.withLock { $0.isDead = true }
    case .diesAfter:
      _ = try body()
      state.withLock { $0.isDead = true }
    case .diesHalfway:
      try half?()
      state.withLock { $0.isDead = true }
    case .noSpace:
      // A sync that fails is another matter: `ioError`.
      if operation == .synchronize { return try body() }
      try half?()
      throw DiskError(operation, errno: ENOSPC)
    case .ioError: break
    }
    throw DiskError(operation, errno: EIO)
  }

  private func alive(_ operation: DiskError.Operation) throws(DiskError) {
    if state.withLock({ $0.isDead }) { throw DiskError(operation, errno: EIO) }
  }

  func openRoot(_ path: String) throws(DiskError) -> DiskHandle { try base.openRoot(path) }

  func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try alive(.open)
    return try base.openDirectory(name, in: directory)
  }

  func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try change(.makeDirectory) { () throws(DiskError) in
      try base.makeDirectory(name, in: directory, mode: mode)
    }
  }

  func openFile(_ name: String, in directory: DiskHandle, writing: Bool) throws(DiskError) -> DiskHandle {
    try alive(.open)
    return try base.openFile(name, in: directory, writing: writing)
  }

  func createFile(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) -> DiskHandle {
    try change(.create) { () throws(DiskError) in
      try base.createFile(name, in: directory, mode: mode)
    }
  }

  func close(_ handle: DiskHandle) { base.close(handle) }

  func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    try alive(.status)
    return try base.status(handle)
  }

  func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    try change(.setMode) { () throws(DiskError) in try base.setMode(handle, mode) }
  }

  func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try alive(.read)
    return try base.read(handle, into: buffer, at: offset)
  }

  func write(
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

  func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try change(.truncate) { () throws(DiskError) in try base.truncate(handle, to: size) }
  }

  func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    do throws(DiskError) {
      try change(.synchronize) { () throws(DiskError) in try base.synchronizeData(handle) }
    } catch {
      if fault == .ioError { (base as? MemoryDisk)?.forgetDirty(handle) }
      throw error
    }
  }

  func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try change(.synchronize) { () throws(DiskError) in try base.synchronizeDirectory(handle) }
  }

  func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    try alive(.list)
    return try base.names(in: directory)
  }

  func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try change(.link) { () throws(DiskError) in try base.makeLink(name, to: target, in: directory) }
  }

  func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try alive(.read)
    return try base.readLink(name, in: directory)
  }

  func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try change(.rename) { () throws(DiskError) in try base.rename(old, to: new, in: directory) }
  }

  func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try change(.remove) { () throws(DiskError) in try base.remove(name, in: directory) }
  }

  func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 { try base.freeBytes(handle) }

  func lock(_ handle: DiskHandle) throws(DiskError) -> Bool { try base.lock(handle) }
}
