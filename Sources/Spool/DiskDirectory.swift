package import BoxEvents
import Glibc

/// An open directory. What is in it is opened through it; kind, owner and mode are checked.
package struct DiskDirectory: Sendable {
  /// Who opens it, and so what is required of its files.
  package enum Access: Hashable, Sendable {
    /// The daemon, for the spool: files of mode 0640 and directories of mode 2750, its own.
    case shared
    /// The daemon, for its state: mode 0600 and 0700, its own.
    case own
    /// A command that only reads, perhaps as another user.
    case reading
  }

  let disk: any Disk
  let handle: DiskHandle
  /// For messages.
  package let path: String
  package let access: Access
  /// Which directory it is; of a root, when it was opened.
  private let openedID: FileStatus.ID
  /// Of a root only.
  let root: DiskRoot?

  /// Opens a directory that must exist.
  /// - Throws: `refused` if it isn't the daemon's own, or if anyone may write to it.
  package static func root(
    _ path: String, on disk: any Disk, access: Access
  ) throws(StoreFailure) -> DiskDirectory {
    try attempt(path) { () throws(DiskError) in
      try DiskDirectory(checking: disk.openRoot(path), on: disk, path, access, isRoot: true)
    }
  }

  /// A directory in this one; nil if it is missing.
  package func subdirectory(_ name: String) throws(StoreFailure) -> DiskDirectory? {
    try unlessMissing(name) { () throws(DiskError) in
      let inner = try disk.openDirectory(name, in: handle)
      return try DiskDirectory(checking: inner, on: disk, path(of: name), access)
    }
  }

  /// A directory in this one, made if it is missing. Its entry is durable on return.
  package func madeSubdirectory(_ name: String) throws(StoreFailure) -> DiskDirectory {
    if let found = try subdirectory(name) { return found }
    let mode: UInt32 = access == .own ? 0o700 : 0o750
    try attempt(path(of: name)) { () throws(DiskError) in
      try disk.makeDirectory(name, in: handle, mode: mode)
    }
    guard let made = try subdirectory(name) else {
      throw StoreFailure(.io, "\(path(of: name)) was deleted while it was made")
    }
    try closingOnFailure(made.close) { () throws(StoreFailure) in
      try made.setMode(mode)
      try synchronize()
    }
    return made
  }

  /// A file in this directory; nil if it is missing.
  /// - Throws: `refused` for anything but a plain file, and, to write, one of another user, one that others
  ///   may write, or, in the state, one with a second name.
  package func file(_ name: String, writing: Bool) throws(StoreFailure) -> DiskFile? {
    try unlessMissing(name) { () throws(DiskError) in
      let inner = try disk.openFile(name, in: handle, writing: writing)
      return try DiskFile(checking: inner, on: disk, path(of: name), writing: writing, access)
    }
  }

  /// Refuses what has a file's name, as ``file(_:writing:)`` would later; opens nothing that is right.
  func checkFile(_ name: String, writing: Bool) throws(StoreFailure) {
    guard let status = try status(of: name),
      status.refusal(of: disk.userID, writing: writing, access: access) != nil
    else { return }
    try file(name, writing: writing)?.close()
  }

  /// Refuses a directory in the place of a link, the only thing that ``pointLink(_:at:)`` can't replace.
  func checkLink(_ name: String) throws(StoreFailure) {
    for name in [name, ".\(name)"] where try status(of: name)?.kind == .directory {
      throw StoreFailure(DiskError(.rename, errno: EISDIR), path: path(of: name))
    }
  }

  /// A file that must not have existed. Its entry is durable only after ``synchronize()``.
  package func newFile(_ name: String) throws(StoreFailure) -> DiskFile {
    let mode: UInt32 = access == .own ? 0o600 : 0o640
    return try attempt(path(of: name)) { () throws(DiskError) in
      let inner = try disk.createFile(name, in: handle, mode: mode)
      let undo = {
        disk.close(inner)
        // Called again, it must not have existed.
        try? disk.remove(name, in: handle)
      }
      return try closingOnFailure(undo) { () throws(DiskError) in
        let status = try disk.status(inner)
        // Whatever the umask was.
        if status.mode != mode { try disk.setMode(inner, mode) }
        return DiskFile(disk: disk, handle: inner, path: path(of: name), id: status.id)
      }
    }
  }

  /// A file in this directory, new and empty if it was missing.
  func madeFile(_ name: String) throws(StoreFailure) -> DiskFile {
    if let found = try file(name, writing: true) { return found }
    return try newFile(name)
  }

  /// Makes the entries of this directory durable, where the file system can: see ``canSynchronize()``.
  package func synchronize() throws(StoreFailure) { _ = try canSynchronize() }

  /// Makes the entries of this directory durable.
  /// - Returns: false if the file system doesn't sync directories, as some of FUSE and of the network don't. It is then
  ///   in its own hands when a name becomes durable; fsync(2): "EINVAL fd is bound to a special file which does not
  ///   support synchronization".
  package func canSynchronize() throws(StoreFailure) -> Bool {
    try attempt(path) { () throws(DiskError) in
      do throws(DiskError) {
        try disk.synchronizeDirectory(handle)
        return true
      } catch {
        if [EINVAL, EOPNOTSUPP].contains(error.errno) { return false }
        throw error
      }
    }
  }

  /// What has a name; nil if it is missing.
  func status(of name: String) throws(StoreFailure) -> FileStatus? {
    try unlessMissing(name) { () throws(DiskError) in try disk.status(of: name, in: handle) }
  }

  var id: FileStatus.ID { root?.id ?? openedID }

  /// Whether a name is that of an open file still: someone may have moved, replaced or deleted it.
  func has(_ file: DiskFile, as name: String) throws(StoreFailure) -> Bool {
    try status(of: name)?.id == file.id
  }

  /// The same for an open directory in this one.
  func has(_ directory: DiskDirectory, as name: String) throws(StoreFailure) -> Bool {
    try status(of: name)?.id == directory.id
  }

  package func names() throws(StoreFailure) -> [String] {
    try attempt(path) { () throws(DiskError) in try disk.names(in: handle) }
  }

  /// Removes a name, if it is there.
  func remove(_ name: String) throws(StoreFailure) {
    _ = try unlessMissing(name) { () throws(DiskError) in try disk.remove(name, in: handle) }
  }

  /// Lets a link point at `target`, in one step for its readers. Not made durable: every start sets it.
  /// - Returns: false if the file system has no symbolic links; symlink(2), "EPERM".
  @discardableResult func pointLink(_ name: String, at target: String) throws(StoreFailure) -> Bool {
    if (try? disk.readLink(name, in: handle)) == target { return true }
    let temporary = ".\(name)"
    try remove(temporary)
    let isMade = try attempt(path(of: temporary)) { () throws(DiskError) in
      do throws(DiskError) {
        try disk.makeLink(temporary, to: target, in: handle)
        return true
      } catch {
        if [EPERM, EOPNOTSUPP, ENOSYS].contains(error.errno) { return false }
        throw error
      }
    }
    if isMade { try rename(temporary, to: name) }
    return isMade
  }

  /// Gives a file another name, in place of the file with that name.
  func rename(_ old: String, to new: String) throws(StoreFailure) {
    try attempt(path(of: new)) { () throws(DiskError) in try disk.rename(old, to: new, in: handle) }
  }

  func freeBytes() throws(StoreFailure) -> UInt64 {
    try attempt(path) { () throws(DiskError) in try disk.freeBytes(handle) }
  }

  /// What a file system can do, beyond what is required of it.
  package struct Abilities: Hashable, Sendable {
    package var syncsDirectories: Bool
    package var hasLinks: Bool

    package static let all = Abilities(syncsDirectories: true, hasLinks: true)
  }

  /// Finds out whether the file system can do what the daemon requires of it, with a file and a link that are removed
  /// again.
  /// - Throws: what the daemon would fail with.
  package func probe(_ name: String) throws(StoreFailure) -> Abilities {
    let link = "\(name)-link"
    defer { for name in [name, link, ".\(link)"] { try? remove(name) } }
    let file = try newFile(name)
    defer { file.close() }
    // No other process knows this file.
    _ = try file.lock()
    try file.synchronize()
    return Abilities(
      syncsDirectories: try canSynchronize(),
      hasLinks: access == .shared ? try pointLink(link, at: name) : true)
  }

  package func close() {
    root?.unlock()
    disk.close(handle)
  }

  func path(of name: String) -> String { "\(path)/\(name)" }

  /// Gives a new directory its mode whatever the umask was. The set-group bit that it inherited must
  /// stay, and under `RestrictSUIDSGID=` it can't be set again, so a mode that is right is left alone.
  private func setMode(_ mode: UInt32) throws(StoreFailure) {
    try attempt(path) { () throws(DiskError) in
      let found = try disk.status(handle).mode
      guard found & 0o777 != mode else { return }
      do throws(DiskError) {
        try disk.setMode(handle, mode | found & 0o2000)
      } catch let error where error.errno == EPERM && found & 0o2000 != 0 {}
    }
  }

  /// Refuses a directory that isn't the daemon's own or that anyone may write to.
  private init(
    checking handle: DiskHandle, on disk: any Disk, _ path: String, _ access: Access, isRoot: Bool = false
  ) throws(DiskError) {
    let undo = { disk.close(handle) }
    openedID = try closingOnFailure(undo) { () throws(DiskError) in
      let status = try disk.status(handle)
      guard status.kind == .directory else { throw DiskError(.open, errno: ENOTDIR) }
      guard access == .reading || (status.owner == disk.userID && status.mode & 0o002 == 0) else {
        throw DiskError(.open, errno: EPERM)
      }
      return status.id
    }
    (self.disk, self.handle, self.path, self.access) = (disk, handle, path, access)
    root = isRoot ? DiskRoot(openedID) : nil
  }

  /// Nil where the call fails because the name is missing.
  private func unlessMissing<Result>(
    _ name: String, _ body: () throws(DiskError) -> Result
  ) throws(StoreFailure) -> Result? {
    do throws(DiskError) {
      return try body()
    } catch {
      if error.errno == ENOENT { return nil }
      throw StoreFailure(error, path: path(of: name))
    }
  }
}
