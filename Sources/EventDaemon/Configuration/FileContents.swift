import Glibc
import SystemPackage

/// A small file read whole, with what the secrets' rules ask about it.
struct FileContents {
  var bytes: [UInt8]
  var owner: uid_t
  /// The permission bits.
  var mode: mode_t

  /// Why a file was not read.
  struct Refusal: Error, Hashable {
    var message: String
    var hint: String
    /// The system's error number, where a call failed.
    var errno: CInt?
  }

  /// Reads a regular file of at most `maximumSize` bytes. Follows links: what counts is the owner
  /// and mode of the file at their end.
  init(_ path: String, maximumSize: Int) throws(Refusal) {
    // Without O_NONBLOCK, opening a fifo would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw Refusal.failed(errno, path) }
    defer { close(descriptor) }
    let status: Stat
    do throws(Errno) {
      status = try Stat(FileDescriptor(rawValue: descriptor))
    } catch {
      throw Refusal.failed(error.rawValue, path)
    }
    guard status.type == .regular else {
      throw Refusal(message: "not a regular file", hint: "put a plain file there")
    }
    owner = status.userID.rawValue
    mode = status.permissions.rawValue
    bytes = try Self.readAll(descriptor, path, maximumSize)
  }

  private static func readAll(
    _ descriptor: CInt, _ path: String, _ maximumSize: Int
  ) throws(Refusal) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Refusal.failed(errno, path) }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= maximumSize else {
        throw Refusal(message: "larger than \(maximumSize >> 10) KiB", hint: "is it the right file?")
      }
    }
  }

  /// The names in a folder; none if there is no such folder.
  static func names(in folder: String) throws(Refusal) -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw Refusal.failed(errno, folder)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }
}

extension FileContents.Refusal {
  /// An error of the system in words, with the remedies that usually help.
  static func failed(_ number: CInt, _ path: String) -> Self {
    switch number {
    case ENOENT: Self(message: "no such file", hint: "create it, or name another file", errno: number)
    case EACCES, EPERM:
      Self(
        message: "permission denied",
        hint: "let \(userName) read it and enter the folders above it (ls -ld \(path))", errno: number)
    default: Self(message: String(cString: strerror(number)), hint: "look at \(path)", errno: number)
    }
  }

  private static var userName: String {
    getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(geteuid())"
  }
}
