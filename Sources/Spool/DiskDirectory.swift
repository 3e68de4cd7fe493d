package import BoxEvents
import Glibc

/// An open directory: names in it are reached through it, and what they name is looked at before it
/// is trusted.
package struct DiskDirectory: Sendable {
  /// Who is asking, and so what is required of what is found.
  package enum Access: Hashable, Sendable {
    /// The daemon, for the spool: what it makes has mode 0640 and 2750 and must be its own.
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
  let access: Access

  /// Opens a directory that must exist.
  /// - Throws: `refused` if it isn't the daemon's own, or if anyone may write to it.
  package static func root(
    _ path: String, on disk: any Disk, access: Access
  ) throws(StoreFailure) -> DiskDirectory {
    do throws(DiskError) {
      let handle = try disk.openRoot(path)
      let directory = DiskDirectory(disk: disk, handle: handle, path: path, access: access)
      return try directory.checked()
    } catch {
      throw StoreFailure(error, path: path)
    }
  }

  /// A directory in this one, or nil if there is none.
  package func subdirectory(_ name: String) throws(StoreFailure) -> DiskDirectory? {
    do throws(DiskError) {
      let inner = try disk.openDirectory(name, in: handle)
      return try DiskDirectory(disk: disk, handle: inner, path: path(of: name), access: access).checked()
    } catch {
      if error.operation == .open, error.errno == ENOENT { return nil }
      throw StoreFailure(error, path: path(of: name))
    }
  }

  /// A directory in this one, made if there is none. Its entry is durable on return.
  package func madeSubdirectory(_ name: String) throws(StoreFailure) -> DiskDirectory {
    if let found = try subdirectory(name) { return found }
    let mode: UInt32 = access == .own ? 0o700 : 0o750
    try attempt(name) { () throws(DiskError) in
      try disk.makeDirectory(name, in: handle, mode: mode)
    }
    guard let made = try subdirectory(name) else {
      throw StoreFailure(.io, "\(path(of: name)) vanished while it was being made")
    }
    try made.setMode(mode)
    try synchronize()
    return made
  }

  /// A file in this directory, or nil if there is none.
  /// - Throws: `refused` for anything but a plain file, and, to write, one that is another's, that others
  ///   may write, or that has a second name.
  package func file(_ name: String, writing: Bool) throws(StoreFailure) -> DiskFile? {
    do throws(DiskError) {
      let inner = try disk.openFile(name, in: handle, writing: writing)
      return try DiskFile(disk: disk, handle: inner, path: path(of: name)).checked(writing: writing)
    } catch {
      if error.operation == .open, error.errno == ENOENT { return nil }
      throw StoreFailure(error, path: path(of: name))
    }
  }

  /// A file that must not have existed. Its entry is durable only after ``synchronize()``.
  package func newFile(_ name: String) throws(StoreFailure) -> DiskFile {
    let mode: UInt32 = access == .own ? 0o600 : 0o640
    return try attempt(name) { () throws(DiskError) in
      let file = DiskFile(
        disk: disk, handle: try disk.createFile(name, in: handle, mode: mode), path: path(of: name))
      do throws(DiskError) {
        // Whatever the umask was.
        if try disk.status(file.handle).mode != mode { try disk.setMode(file.handle, mode) }
      } catch {
        file.close()
        throw error
      }
      return file
    }
  }

  /// A file in this directory, empty and new if there was none.
  func madeFile(_ name: String) throws(StoreFailure) -> DiskFile {
    if let found = try file(name, writing: true) { return found }
    return try newFile(name)
  }

  /// Makes the entries of this directory durable.
  package func synchronize() throws(StoreFailure) {
    try attempt(nil) { () throws(DiskError) in try disk.synchronizeDirectory(handle) }
  }

  package func names() throws(StoreFailure) -> [String] {
    try attempt(nil) { () throws(DiskError) in try disk.names(in: handle) }
  }

  /// Removes a name; nothing happens if there is none.
  func remove(_ name: String) throws(StoreFailure) {
    do throws(DiskError) {
      try disk.remove(name, in: handle)
    } catch {
      if error.errno != ENOENT { throw StoreFailure(error, path: path(of: name)) }
    }
  }

  /// Lets a link point at `target`, in one step for everyone who looks. Not made durable: the link is
  /// put right at every start.
  func pointLink(_ name: String, at target: String) throws(StoreFailure) {
    if (try? disk.readLink(name, in: handle)) == target { return }
    let passing = ".\(name)"
    try remove(passing)
    try attempt(passing) { () throws(DiskError) in try disk.makeLink(passing, to: target, in: handle) }
    try rename(passing, to: name)
  }

  /// Gives a file another name, in place of what has that name.
  func rename(_ old: String, to new: String) throws(StoreFailure) {
    try attempt(new) { () throws(DiskError) in try disk.rename(old, to: new, in: handle) }
  }

  func freeBytes() throws(StoreFailure) -> UInt64 {
    try attempt(nil) { () throws(DiskError) in try disk.freeBytes(handle) }
  }

  package func close() {
    disk.close(handle)
  }

  func path(of name: String) -> String { "\(path)/\(name)" }

  /// Gives a new directory its mode whatever the umask was. The set-group bit that it inherited must
  /// stay, and under `RestrictSUIDSGID=` it can't be set again, so a mode that is right is left alone.
  private func setMode(_ mode: UInt32) throws(StoreFailure) {
    try attempt(nil) { () throws(DiskError) in
      let found = try disk.status(handle).mode
      guard found & 0o777 != mode else { return }
      do throws(DiskError) {
        try disk.setMode(handle, mode | found & 0o2000)
      } catch {
        if found & 0o2000 == 0 || error.errno != EPERM { throw error }
      }
    }
  }

  /// Refuses a directory that isn't the daemon's own or that anyone may write to.
  private func checked() throws(DiskError) -> DiskDirectory {
    do throws(DiskError) {
      let status = try disk.status(handle)
      guard status.kind == .directory else { throw DiskError(.open, errno: ENOTDIR) }
      guard access == .reading || (status.owner == disk.userID && status.mode & 0o002 == 0) else {
        throw DiskError(.open, errno: EPERM)
      }
      return self
    } catch {
      close()
      throw error
    }
  }

  private func attempt<Result>(
    _ name: String?, _ body: () throws(DiskError) -> Result
  ) throws(StoreFailure) -> Result {
    do throws(DiskError) {
      return try body()
    } catch {
      throw StoreFailure(error, path: name.map { path(of: $0) } ?? path)
    }
  }
}
