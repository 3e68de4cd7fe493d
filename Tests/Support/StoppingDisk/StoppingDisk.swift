import Glibc
package import Spool
import Synchronization
import TestDisks

/// This machine's disk, until the process has passed a point a number of times: there it kills itself
/// with SIGKILL, in the thread that has made the call, so that nothing at all follows.
package final class StoppingDisk: ForwardingDisk {
  private struct State {
    /// What is open, by descriptor.
    var targets: [DiskHandle: StopPoint.Target] = [:]
    /// Calls at the point until the last one.
    var callsLeft: Int
  }

  private let point: StopPoint?
  private let state: Mutex<State>
  private let disk = LocalDisk()
  package var base: any Disk { disk }

  /// - Parameters:
  ///   - point: where to stop; nil never stops.
  ///   - count: the first call at the point is number 1.
  package init(stoppingAt point: StopPoint?, count: Int = 1) {
    self.point = point
    state = Mutex(State(callsLeft: max(0, count - 1)))
  }

  // MARK: Opening

  /// A root goes by the last part of its path, which is `spool` or `state` in tests.
  package func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    let handle = try disk.openRoot(path)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    return opened(handle, StopPoint.Target(rawValue: name))
  }

  package func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    opened(try disk.openDirectory(name, in: directory), stream(in: directory))
  }

  package func makeDirectory(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) {
    try passing(.make, stream(in: directory)) { () throws(DiskError) in
      try disk.makeDirectory(name, in: directory, mode: mode)
    }
  }

  package func openFile(
    _ name: String, in directory: DiskHandle, writing: Bool
  ) throws(DiskError) -> DiskHandle {
    opened(
      try disk.openFile(name, in: directory, writing: writing), StopPoint.Target(fileName: name))
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    let target = StopPoint.Target(fileName: name)
    return try passing(.create, target) { () throws(DiskError) in
      opened(try disk.createFile(name, in: directory, mode: mode), target)
    }
  }

  package func close(_ handle: DiskHandle) {
    state.withLock { $0.targets[handle] = nil }
    disk.close(handle)
  }

  // MARK: What leaves something behind

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let target = target(of: handle)
    if let point, point == target.map({ StopPoint(.write, $0, .half) }), isLastCall() {
      // Half of the text: the padding of a block is the same in every record.
      let text = (bytes.lastIndex { $0 > 0x20 } ?? 0) + 1
      _ = try disk.write(handle, UnsafeRawBufferPointer(rebasing: bytes[..<(text / 2)]), at: offset)
      stop()
    }
    return try passing(.write, target) { () throws(DiskError) in
      try disk.write(handle, bytes, at: offset)
    }
  }

  package func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try passing(.truncate, target(of: handle)) { () throws(DiskError) in
      try disk.truncate(handle, to: size)
    }
  }

  package func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    try passing(.synchronize, target(of: handle)) { () throws(DiskError) in
      try disk.synchronizeData(handle)
    }
  }

  package func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try passing(.synchronize, target(of: handle)) { () throws(DiskError) in
      try disk.synchronizeDirectory(handle)
    }
  }

  package func makeLink(
    _ name: String, to target: String, in directory: DiskHandle
  ) throws(DiskError) {
    try passing(.link, StopPoint.Target(fileName: name)) { () throws(DiskError) in
      try disk.makeLink(name, to: target, in: directory)
    }
  }

  package func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try passing(.rename, StopPoint.Target(fileName: new)) { () throws(DiskError) in
      try disk.rename(old, to: new, in: directory)
    }
  }

  package func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try passing(.remove, StopPoint.Target(fileName: name)) { () throws(DiskError) in
      try disk.remove(name, in: directory)
    }
  }

  // MARK: Stopping

  private func opened(_ handle: DiskHandle, _ target: StopPoint.Target?) -> DiskHandle {
    state.withLock { $0.targets[handle] = target }
    return handle
  }

  private func target(of handle: DiskHandle) -> StopPoint.Target? {
    state.withLock { $0.targets[handle] }
  }

  /// What a directory in a root is.
  private func stream(in directory: DiskHandle) -> StopPoint.Target? {
    switch target(of: directory) {
    case .spool: .streamSpool
    case .state: .streamState
    default: nil
    }
  }

  /// Makes a call, unless the process stops before or after it.
  private func passing<Result>(
    _ operation: StopPoint.Operation, _ target: StopPoint.Target?,
    _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    guard let target, let point, point.operation == operation, point.target == target,
      point.moment != .half, isLastCall()
    else { return try body() }
    if point.moment == .before { stop() }
    _ = try body()
    stop()
  }

  /// Counts a call at the point.
  private func isLastCall() -> Bool {
    state.withLock { state in
      state.callsLeft -= 1
      return state.callsLeft < 0
    }
  }

  private func stop() -> Never {
    while true { kill(getpid(), SIGKILL) }
  }
}
