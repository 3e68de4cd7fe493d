import Glibc
import Synchronization
import SystemPackage

/// The file of the status socket, told from others that may take its place.
final class StatusSocket: Sendable {
  private struct Identity: Equatable {
    var device: DeviceID
    var inode: Inode

    /// Nil where there is no socket.
    init?(_ path: String) {
      guard let status = try? Stat(FilePath(path), followTargetSymlink: false), status.type == .socket
      else { return nil }
      (device, inode) = (status.deviceID, status.inode)
    }
  }

  private struct Binding {
    var isBound = false
    /// Nil where the file was gone at once.
    var file: Identity?
    var hasListened = false
  }

  private let path: String
  private let binding = Mutex(Binding())

  init(_ path: String) { self.path = path }

  /// It has been listened on since the start.
  var hasListened: Bool { binding.withLock { $0.hasListened } }

  /// Nothing, or something else, is where this process has bound it. The number of a removed file isn't used again as
  /// long as the socket is listened on.
  var isLost: Bool {
    binding.withLock { $0.isBound && ($0.file == nil || $0.file != Identity(path)) }
  }

  /// This process is about to bind a new one.
  func forget() {
    binding.withLock { ($0.isBound, $0.file) = (false, nil) }
  }

  /// This process has just bound it.
  /// - Returns: whether it had bound one before.
  func bound() -> Bool {
    binding.withLock { binding in
      defer { binding.hasListened = true }
      (binding.isBound, binding.file) = (true, Identity(path))
      return binding.hasListened
    }
  }

  /// Removes it, and nothing else that may have taken its place.
  func remove() {
    let file = binding.withLock { $0.file }
    if file != nil, file == Identity(path) { unlink(path) }
  }
}
