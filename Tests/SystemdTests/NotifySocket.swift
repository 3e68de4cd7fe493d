import Glibc

/// A Unix datagram socket in the role of systemd's, in a directory of its own.
final class NotifySocket {
  struct Failure: Error {
    var call: String
    var errno: Int32
  }

  let path: String
  private let directory: String
  private let descriptor: CInt

  init() throws {
    var template = Array("/tmp/box-eventd-notify.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(call: "mkdtemp", errno: errno) }
    directory = template.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    path = directory + "/socket"
    descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", errno: errno) }
    try bind()
  }

  private func bind() throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw Failure(call: "bind", errno: errno) }
  }

  /// The next datagram; nil when none is waiting. What was sent is here once the sender's call returned.
  func receive() -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  deinit {
    close(descriptor)
    unlink(path)
    rmdir(directory)
  }
}
