package import BoxEvents
import Glibc
import Synchronization

/// What goes with a root directory, for all who have it open: its lock, if it is locked.
final class DiskRoot: Sendable {
  fileprivate let lock = Mutex<InstanceLock?>(nil)
  private let state: Mutex<State>

  private struct State {
    var id: FileStatus.ID
    /// All of its entries that this process hasn't made itself are durable.
    var isSynchronized = false
  }

  init(_ id: FileStatus.ID) { state = Mutex(State(id: id)) }

  /// Which directory is open now.
  var id: FileStatus.ID { state.withLock { $0.id } }

  fileprivate var isSynchronized: Bool {
    get { state.withLock { $0.isSynchronized } }
    set { state.withLock { $0.isSynchronized = newValue } }
  }

  fileprivate func isReplaced(by id: FileStatus.ID) { state.withLock { $0 = State(id: id) } }

  func unlock() {
    lock.withLock { lock in
      lock?.release()
      lock = nil
    }
  }
}

extension DiskDirectory {
  /// Keeps other instances out of a root until it is closed.
  /// - Throws: as ``InstanceLock/init(_:processID:)``.
  package func lock(processID: Int32) throws(StoreFailure) {
    let taken = try InstanceLock(self, processID: processID)
    root?.lock.withLock { $0 = taken }
  }

  /// Goes on in what a root's path leads to now, should someone have moved or replaced the directory that is open. All
  /// who have it open do, and the lock moves along. What is open in the old one stays there: ``has(_:as:)``.
  /// - Throws: `noSpace`, so that it is tried again, as long as there is no directory the daemon can use.
  func follow() throws(StoreFailure) {
    guard let root, try !isInPlace() else { return }
    do throws(StoreFailure) {
      try root.lock.withLock { lock throws(StoreFailure) in
        // Another stream may have been first.
        if try isInPlace() { return }
        let next = try Self.root(path, on: disk, access: access)
        defer { next.close() }
        var nextLock: InstanceLock?
        if let lock { nextLock = try InstanceLock(next, processID: lock.processID) }
        try closingOnFailure({ nextLock?.release() }) { () throws(StoreFailure) in
          try attempt(path) { () throws(DiskError) in try disk.replace(handle, with: next.handle) }
        }
        root.isReplaced(by: next.id)
        lock?.release()
        lock = nextLock
      }
    } catch {
      guard [.refused, .locked].contains(error.code) || error.errno == EROFS || error.errno == ENOENT else {
        throw error
      }
      throw Self.moved("\(path) was replaced while the daemon runs: \(error.message)", error.errno)
    }
  }

  /// Makes the entries of a root durable that an earlier run has made and not synced: once is enough for all streams.
  func synchronizeOnce() throws(StoreFailure) {
    guard let root, !root.isSynchronized else { return }
    try synchronize()
    root.isSynchronized = true
  }

  private func isInPlace() throws(StoreFailure) -> Bool {
    do throws(DiskError) {
      return try disk.status(ofRoot: path).id == id
    } catch {
      let failure = StoreFailure(error, path: path)
      guard failure.code == .refused || error.errno == ENOENT else { throw failure }
      throw Self.moved("\(path) was moved or deleted while the daemon runs", error.errno)
    }
  }

  private static func moved(_ message: String, _ errno: Int32?) -> StoreFailure {
    let next =
      errno == EROFS
      ? "or restart the daemon: its unit lets it write only to what was there at its start."
      : "or make one with the owner, group and mode that it had: box-eventd then goes on by itself."
    var failure = StoreFailure(.noSpace, message, hint: "Put it back, \(next)", errno: errno)
    failure.isOfRoot = true
    return failure
  }
}
