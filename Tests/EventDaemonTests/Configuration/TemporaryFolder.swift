import Glibc

/// A folder of its own for one test, removed with everything in it at the end.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/box-eventd-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  struct Failure: Error {
    var errno: CInt
  }

  /// Writes a file and gives it a mode, whatever the umask is.
  @discardableResult
  func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: mode_t = 0o600) throws -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(errno: errno) }
    defer { close(descriptor) }
    let contents = Array(bytes)
    guard Glibc.write(descriptor, contents, contents.count) == contents.count, fchmod(descriptor, mode) == 0
    else { throw Failure(errno: errno) }
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
    try write(name, text.utf8, mode: mode)
  }

  @discardableResult
  func folder(_ name: String, mode: mode_t = 0o700) throws -> String {
    let folder = "\(path)/\(name)"
    guard mkdir(folder, 0o700) == 0, chmod(folder, mode) == 0 else { throw Failure(errno: errno) }
    return folder
  }

  private static func remove(_ path: String) {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(stream)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
