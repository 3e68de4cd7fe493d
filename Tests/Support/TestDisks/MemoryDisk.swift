import Glibc
package import Spool

/// A disk in memory that can lose power. It has two directories, `/spool` and `/state`.
///
/// What the calls do to the medium, and what a power cut leaves of it, is ``DiskImage``'s. Not guarded by a lock:
/// a test does one thing at a time, each after the one before it has been awaited.
package final class MemoryDisk: Disk, @unchecked Sendable {
  package var image: DiskImage
  /// Local seconds since 1970, for the files' times.
  package var wallSeconds: Int64 = 0
  private var handles: [Int32: Int] = [:]
  /// Which handle has a file's lock.
  private var locks: [Int: Int32] = [:]
  private var nextHandle: Int32 = 1
  /// The last handle of the processes that have ended.
  private var lastKilled: Int32 = 0
  /// Closes of handles that weren't open any more: a kernel may have given the number to another file by then.
  package private(set) var strayCloses = 0

  /// - Parameter sectorSize: bytes that become durable, or are lost, together.
  package init(sectorSize: Int = 512) {
    image = DiskImage(sectorSize: sectorSize)
  }

  package var openHandles: Int { handles.count }

  /// The process ends: its handles are closed, all bytes stay.
  package func kill() {
    handles = [:]
    locks = [:]
    lastKilled = nextHandle
  }

  /// The machine goes down.
  package func losePower(seed: UInt64) {
    var choices = Choices(seed: seed)
    losePower(&choices)
  }

  /// - Parameter staleness: bytes appended to a segment may come back as other, older bytes.
  package func losePower(_ choices: inout Choices, staleness: Bool = false) {
    kill()
    image.losePower(&choices, staleness: staleness)
  }

  /// Does what a sync that fails does. It reports success; the caller reports the failure.
  /// - Parameter choices: which of the dirty sectors reach the medium; nil for none.
  package func failSync(_ handle: DiskHandle, _ choices: inout Choices?) {
    if let index = handles[handle.rawValue] { image.failSync(index, &choices) }
  }

  /// What an open handle is: its name and kind.
  package func node(_ handle: DiskHandle) -> DiskImage.Node? {
    handles[handle.rawValue].map { image.nodes[$0] }
  }

  // MARK: Opening

  package var userID: UInt32 { 1000 }

  package func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    guard let index = image.roots[path] else { throw DiskError(.open, errno: ENOENT) }
    return open(index)
  }

  package func status(ofRoot path: String) throws(DiskError) -> FileStatus {
    guard let index = image.roots[path] else { throw DiskError(.status, errno: ENOENT) }
    return status(index)
  }

  package func replace(_ handle: DiskHandle, with other: DiskHandle) throws(DiskError) {
    let (old, new) = (try index(handle, .open), try index(other, .open))
    if locks[old] == handle.rawValue { locks[old] = nil }
    handles[handle.rawValue] = new
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    let index = try find(name, in: directory)
    guard image.nodes[index].isDirectory else { throw DiskError(.open, errno: ENOTDIR) }
    return open(index)
  }

  package func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try add(name, in: directory, as: .makeDirectory, isDirectory: true, mode: mode)
  }

  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    let index = try find(name, in: directory)
    if writing, image.nodes[index].isDirectory { throw DiskError(.open, errno: EISDIR) }
    return open(index)
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try add(name, in: directory, as: .create, isDirectory: false, mode: mode)
    return open(try find(name, in: directory))
  }

  package func close(_ handle: DiskHandle) {
    guard let index = handles.removeValue(forKey: handle.rawValue) else {
      if handle.rawValue > lastKilled { strayCloses += 1 }
      return
    }
    if locks[index] == handle.rawValue { locks[index] = nil }
  }

  private func open(_ index: Int) -> DiskHandle {
    nextHandle += 1
    handles[nextHandle] = index
    return DiskHandle(rawValue: nextHandle)
  }

  private func index(_ handle: DiskHandle, _ operation: DiskError.Operation) throws(DiskError) -> Int {
    guard let index = handles[handle.rawValue] else { throw DiskError(operation, errno: EBADF) }
    return index
  }

  private func find(_ name: String, in directory: DiskHandle) throws(DiskError) -> Int {
    switch image.nodes[try index(directory, .open)].entries[name] {
    case .node(let index): return index
    case .link: throw DiskError(.open, errno: ELOOP)
    case nil: throw DiskError(.open, errno: ENOENT)
    }
  }

  private func add(
    _ name: String, in directory: DiskHandle, as operation: DiskError.Operation, isDirectory: Bool,
    mode: UInt32
  ) throws(DiskError) {
    let parent = try index(directory, operation)
    guard image.nodes[parent].entries[name] == nil else { throw DiskError(operation, errno: EEXIST) }
    image.nodes.append(
      DiskImage.Node(isDirectory: isDirectory, name: name, mode: mode, modifiedAt: wallSeconds))
    image.change(parent, .add(name, .node(image.nodes.count - 1)))
  }

  // MARK: Files

  package func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    status(try index(handle, .status))
  }

  package func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus {
    switch image.nodes[try index(directory, .status)].entries[name] {
    case .node(let index): return status(index)
    case .link(let target):
      let id = FileStatus.ID(device: 2, inode: 0)
      return FileStatus(id: id, kind: .other, size: target.utf8.count, mode: 0o777, owner: userID)
    case nil: throw DiskError(.status, errno: ENOENT)
    }
  }

  /// A node is never used again, so its index is its inode.
  private func status(_ index: Int) -> FileStatus {
    let found = image.nodes[index]
    return FileStatus(
      id: FileStatus.ID(device: 1, inode: UInt64(index)), kind: found.isDirectory ? .directory : .file,
      size: found.bytes.count, mode: found.mode,
      owner: userID, links: found.links, modifiedAt: found.modifiedAt)
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    image.nodes[try index(handle, .setMode)].mode = mode
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let index = try index(handle, .read)
    let count = max(0, min(buffer.count, image.nodes[index].bytes.count - offset))
    image.nodes[index].bytes.withUnsafeBytes { bytes in
      if count > 0, let base = buffer.baseAddress, let source = bytes.baseAddress {
        base.copyMemory(from: source + offset, byteCount: count)
      }
    }
    return count
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    image.write(bytes, to: try index(handle, .write), at: offset, now: wallSeconds)
    return bytes.count
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    image.truncate(try index(handle, .truncate), to: size, now: wallSeconds)
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    image.synchronize(try index(handle, .synchronize))
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    image.synchronizeDirectory(try index(handle, .synchronize))
  }

  // MARK: Names

  package func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    image.nodes[try index(directory, .list)].entries.keys.sorted()
  }

  package func makeLink(
    _ name: String, to target: String, in directory: DiskHandle
  ) throws(DiskError) {
    let parent = try index(directory, .link)
    guard image.nodes[parent].entries[name] == nil else { throw DiskError(.link, errno: EEXIST) }
    image.change(parent, .add(name, .link(target)))
  }

  package func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    switch image.nodes[try index(directory, .read)].entries[name] {
    case .link(let target): return target
    case .node: throw DiskError(.read, errno: EINVAL)
    case nil: throw DiskError(.read, errno: ENOENT)
    }
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    let parent = try index(directory, .rename)
    guard image.nodes[parent].entries[old] != nil else { throw DiskError(.rename, errno: ENOENT) }
    image.change(parent, .rename(old, to: new))
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    let parent = try index(directory, .remove)
    guard image.nodes[parent].entries[name] != nil else { throw DiskError(.remove, errno: ENOENT) }
    image.change(parent, .remove(name))
  }

  package func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 { 1 << 40 }

  package func lock(_ handle: DiskHandle) throws(DiskError) -> Bool {
    let index = try index(handle, .lock)
    if let holder = locks[index] { return holder == handle.rawValue }
    locks[index] = handle.rawValue
    return true
  }
}
