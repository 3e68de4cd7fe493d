import Glibc

/// The disk of this machine, through POSIX calls. Interrupted calls are repeated, except `close`: on Linux its
/// descriptor is gone either way, and may be another's already (close(2), "Dealing with error returns").
package struct LocalDisk: Disk {
  package init() {}
  package var userID: UInt32 { geteuid() }

  // MARK: Opening

  package func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    try handle(.open) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  package func status(ofRoot path: String) throws(DiskError) -> FileStatus {
    var status = stat()
    try call(.status) { stat(path, &status) }
    return FileStatus(status)
  }

  package func replace(_ handle: DiskHandle, with other: DiskHandle) throws(DiskError) {
    try call(.open) { dup2(other.rawValue, handle.rawValue) }
    // The daemon starts no other program, so there is no moment to miss.
    _ = fcntl(handle.rawValue, F_SETFD, FD_CLOEXEC)
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try handle(.open) { openat(directory.rawValue, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
  }

  package func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try call(.makeDirectory) { mkdirat(directory.rawValue, name, mode) }
  }

  // O_NONBLOCK: a fifo under this name is opened at once and then refused; plain files ignore the flag.
  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    let flags = (writing ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    return try handle(.open) { openat(directory.rawValue, name, flags) }
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try handle(.create) {
      openat(directory.rawValue, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    }
  }

  package func close(_ handle: DiskHandle) { _ = Glibc.close(handle.rawValue) }

  // MARK: Files

  package func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    var status = stat()
    try call(.status) { fstat(handle.rawValue, &status) }
    return FileStatus(status)
  }

  package func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus {
    var status = stat()
    try call(.status) { fstatat(directory.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) }
    return FileStatus(status)
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    try call(.setMode) { fchmod(handle.rawValue, mode) }
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try call(.read) { pread(handle.rawValue, buffer.baseAddress, buffer.count, offset) }
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try call(.write) { pwrite(handle.rawValue, bytes.baseAddress, bytes.count, offset) }
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try call(.truncate) { ftruncate(handle.rawValue, size) }
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    try call(.synchronize) { fdatasync(handle.rawValue) }
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try call(.synchronize) { fsync(handle.rawValue) }
  }

  package func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 {
    var status = statvfs()
    try call(.space) { fstatvfs(handle.rawValue, &status) }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? .max : bytes
  }

  /// `flock` belongs to the open file, so a lock ends with the process, however it ends.
  package func lock(_ handle: DiskHandle) throws(DiskError) -> Bool {
    do {
      try call(.lock) { flock(handle.rawValue, LOCK_EX | LOCK_NB) }
      return true
    } catch let error where error.errno == EWOULDBLOCK {
      return false
    }
  }

  // MARK: Directories

  package func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    // A descriptor of its own: the stream takes it over, with its offset in the listing.
    let own = try handle(.list) { openat(directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard let stream = fdopendir(own.rawValue) else {
      let number = errno
      close(own)
      throw DiskError(.list, errno: number)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw DiskError(.list, errno: errno) }
    return names
  }

  package func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try call(.link) { symlinkat(target, directory.rawValue, name) }
  }

  package func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    var target = [CChar](repeating: 0, count: 4096)
    let count = try call(.read) { readlinkat(directory.rawValue, name, &target, target.count) }
    return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try call(.rename) { renameat(directory.rawValue, old, directory.rawValue, new) }
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try call(.remove) { unlinkat(directory.rawValue, name, 0) }
  }

  private func handle(_ operation: DiskError.Operation, _ body: () -> Int32) throws(DiskError) -> DiskHandle {
    DiskHandle(rawValue: try call(operation, body))
  }

  /// Repeats an interrupted call, and turns -1 into an error.
  @discardableResult private func call<Result: FixedWidthInteger & SignedInteger>(
    _ operation: DiskError.Operation, _ body: () -> Result
  ) throws(DiskError) -> Result {
    while true {
      let result = body()
      if result != -1 { return result }
      let number = errno
      if number != EINTR { throw DiskError(operation, errno: number) }
    }
  }
}

extension FileStatus {
  fileprivate init(_ status: stat) {
    let kind: Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      default: .other
      }
    self.init(
      id: ID(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)), kind: kind,
      size: Int(status.st_size), mode: status.st_mode & 0o7777, owner: status.st_uid,
      links: Int(status.st_nlink), modifiedAt: Int64(status.st_mtim.tv_sec))
  }
}
