import BoxEvents
import Glibc
package import Spool
import Synchronization

/// A disk in memory that can lose power: what was not synced comes back lost, partial, zeroed or whole, by
/// sectors, as a seed says; so do directory entries.
///
/// A failed sync leaves sectors that read well, look clean and are not durable: only bytes written again
/// become durable with the next sync.
package final class MemoryDisk: Disk {
  package static let sector = 512

  private struct Node {
    var isDirectory: Bool
    var mode: UInt32
    var bytes: [UInt8] = []
    var durable: [UInt8] = []
    var dirty: Set<Int> = []
    var entries: [String: Entry] = [:]
    var durableEntries: [String: Entry] = [:]
  }

  private enum Entry: Equatable {
    case node(Int)
    case link(String)
  }

  private struct State {
    var nodes: [Node]
    var handles: [Int32: Int] = [:]
    var nextHandle: Int32 = 1
    var free: UInt64 = 1 << 40
  }

  /// `/spool` and `/state`.
  private let state: Mutex<State>

  package init() {
    state = Mutex(
      State(nodes: [
        Node(isDirectory: true, mode: 0o2750), Node(isDirectory: true, mode: 0o700),
      ]))
  }

  package var userID: UInt32 { 1000 }

  package func setFree(_ bytes: UInt64) { state.withLock { $0.free = bytes } }

  /// The process ends: its handles are closed, all bytes stay.
  package func kill() { state.withLock { $0.handles = [:] } }

  /// The machine goes down.
  package func losePower(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    state.withLock { state in
      state.handles = [:]
      for index in state.nodes.indices {
        Self.crash(&state.nodes[index], &random)
      }
    }
  }

  private static func crash(_ node: inout Node, _ random: inout SplitMix64) {
    for name in Set(node.entries.keys).union(node.durableEntries.keys).sorted()
    where node.entries[name] != node.durableEntries[name] && Bool.random(using: &random) {
      node.entries[name] = node.durableEntries[name]
    }
    node.durableEntries = node.entries
    let sizes = [
      node.durable.count, node.bytes.count,
      Int.random(
        in: min(node.durable.count, node.bytes.count)...max(node.durable.count, node.bytes.count),
        using: &random),
    ]
    let size = sizes.randomElement(using: &random) ?? 0
    var result = [UInt8](repeating: 0, count: size)
    for start in stride(from: 0, to: size, by: sector) {
      let range = start..<min(size, start + sector)
      let choice = Int.random(in: 0..<4, using: &random)
      let split = Int.random(in: range, using: &random)
      for offset in range {
        let old = offset < node.durable.count ? node.durable[offset] : 0
        let new = offset < node.bytes.count ? node.bytes[offset] : 0
        result[offset] =
          switch choice {
          case 0: old
          case 1, 2: new
          default: offset < split ? new : old
          }
      }
    }
    (node.bytes, node.durable, node.dirty) = (result, result, [])
  }

  /// A sync that fails and persists nothing.
  package func forgetDirty(_ handle: DiskHandle) {
    state.withLock { state in
      if let index = state.handles[handle.rawValue] { state.nodes[index].dirty = [] }
    }
  }

  package func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    try use { state throws(DiskError) in Self.handle(path == "/spool" ? 0 : 1, &state) }
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try use { state throws(DiskError) in
      let index = try Self.find(name, directory, state)
      guard state.nodes[index].isDirectory else { throw DiskError(.open, errno: ENOTDIR) }
      return Self.handle(index, &state)
    }
  }

  package func makeDirectory(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) {
    try use { state throws(DiskError) in
      let parent = try Self.node(directory, state, .makeDirectory)
      guard state.nodes[parent].entries[name] == nil else { throw DiskError(.makeDirectory, errno: EEXIST) }
      state.nodes.append(Node(isDirectory: true, mode: mode))
      state.nodes[parent].entries[name] = .node(state.nodes.count - 1)
    }
  }

  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    try use { state throws(DiskError) in Self.handle(try Self.find(name, directory, state), &state) }
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try use { state throws(DiskError) in
      let parent = try Self.node(directory, state, .create)
      guard state.nodes[parent].entries[name] == nil else { throw DiskError(.create, errno: EEXIST) }
      state.nodes.append(Node(isDirectory: false, mode: mode))
      state.nodes[parent].entries[name] = .node(state.nodes.count - 1)
      return Self.handle(state.nodes.count - 1, &state)
    }
  }

  package func close(_ handle: DiskHandle) {
    state.withLock { $0.handles[handle.rawValue] = nil }
  }

  package func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    try use { state throws(DiskError) in
      let node = state.nodes[try Self.node(handle, state, .status)]
      return FileStatus(
        kind: node.isDirectory ? .directory : .file, size: node.bytes.count, mode: node.mode, owner: 1000)
    }
  }

  package func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    try use { state throws(DiskError) in
      state.nodes[try Self.node(handle, state, .setMode)].mode = mode
    }
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let bytes = try use { state throws(DiskError) in
      let bytes = state.nodes[try Self.node(handle, state, .read)].bytes
      return Array(bytes[min(offset, bytes.count)..<min(bytes.count, offset + buffer.count)])
    }
    buffer.copyBytes(from: bytes)
    return bytes.count
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let copy = Array(bytes)
    try use { state throws(DiskError) in
      let index = try Self.node(handle, state, .write)
      let end = offset + copy.count
      if state.nodes[index].bytes.count < end {
        state.nodes[index].bytes += [UInt8](repeating: 0, count: end - state.nodes[index].bytes.count)
      }
      state.nodes[index].bytes.replaceSubrange(offset..<end, with: copy)
      if !copy.isEmpty {
        for sector in (offset / Self.sector)...((end - 1) / Self.sector) {
          state.nodes[index].dirty.insert(sector)
        }
      }
    }
    return copy.count
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try use { state throws(DiskError) in
      let index = try Self.node(handle, state, .truncate)
      let bytes = state.nodes[index].bytes
      state.nodes[index].bytes = Array(
        (bytes + [UInt8](repeating: 0, count: max(0, size - bytes.count)))[..<size])
    }
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    try use { state throws(DiskError) in
      let index = try Self.node(handle, state, .synchronize)
      let bytes = state.nodes[index].bytes
      var durable = state.nodes[index].durable
      durable = Array(
        (durable + [UInt8](repeating: 0, count: max(0, bytes.count - durable.count)))[..<bytes.count])
      for sector in state.nodes[index].dirty {
        let range = min(sector * Self.sector, bytes.count)..<min((sector + 1) * Self.sector, bytes.count)
        durable.replaceSubrange(range, with: bytes[range])
      }
      state.nodes[index].durable = durable
      state.nodes[index].dirty = []
    }
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try use { state throws(DiskError) in
      let index = try Self.node(handle, state, .synchronize)
      state.nodes[index].durableEntries = state.nodes[index].entries
    }
  }

  package func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    try use { state throws(DiskError) in
      Array(state.nodes[try Self.node(directory, state, .list)].entries.keys)
    }
  }

  package func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try use { state throws(DiskError) in
      let parent = try Self.node(directory, state, .link)
      guard state.nodes[parent].entries[name] == nil else { throw DiskError(.link, errno: EEXIST) }
      state.nodes[parent].entries[name] = .link(target)
    }
  }

  package func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try use { state throws(DiskError) in
      guard case .link(let target)? = state.nodes[try Self.node(directory, state, .read)].entries[name]
      else { throw DiskError(.read, errno: EINVAL) }
      return target
    }
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try use { state throws(DiskError) in
      let parent = try Self.node(directory, state, .rename)
      guard let entry = state.nodes[parent].entries.removeValue(forKey: old) else {
        throw DiskError(.rename, errno: ENOENT)
      }
      state.nodes[parent].entries[new] = entry
    }
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try use { state throws(DiskError) in
      let parent = try Self.node(directory, state, .remove)
      guard state.nodes[parent].entries.removeValue(forKey: name) != nil else {
        throw DiskError(.remove, errno: ENOENT)
      }
    }
  }

  package func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 { state.withLock { $0.free } }

  package func lock(_ handle: DiskHandle) throws(DiskError) -> Bool { true }

  // MARK: State

  private func use<Result: Sendable>(
    _ body: (inout State) throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    let result = state.withLock { state in
      do throws(DiskError) {
        return Swift.Result<Result, DiskError>.success(try body(&state))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private static func handle(_ node: Int, _ state: inout State) -> DiskHandle {
    state.nextHandle += 1
    state.handles[state.nextHandle] = node
    return DiskHandle(rawValue: state.nextHandle)
  }

  private static func node(
    _ handle: DiskHandle, _ state: State, _ operation: DiskError.Operation
  ) throws(DiskError) -> Int {
    guard let node = state.handles[handle.rawValue] else { throw DiskError(operation, errno: EBADF) }
    return node
  }

  private static func find(
    _ name: String, _ directory: DiskHandle, _ state: State
  ) throws(DiskError) -> Int {
    switch state.nodes[try node(directory, state, .open)].entries[name] {
    case .node(let index): return index
    case .link: throw DiskError(.open, errno: ELOOP)
    case nil: throw DiskError(.open, errno: ENOENT)
    }
  }
}
