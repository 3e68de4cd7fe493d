import Glibc

@testable import EventDaemon

/// The least of a client over TCP.
enum TCPClient {
  static func connect(port: Int, sending text: String) throws -> CInt {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    let bytes = Array(text.utf8)
    guard result == 0, write(descriptor, bytes, bytes.count) == bytes.count else {
      close(descriptor)
      throw TemporaryFolder.Failure(errno: errno)
    }
    return descriptor
  }

  static func get(port: Int, _ path: String) throws -> HTTPAnswer? {
    HTTPAnswer(parsing: try exchange(port: port, "GET \(path)"))
  }

  /// All bytes of the answer to a request such as `HEAD /status`.
  static func exchange(port: Int, _ request: String) throws -> [UInt8] {
    let request = "\(request) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    let descriptor = try connect(port: port, sending: request)
    defer { close(descriptor) }
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while case let count = read(descriptor, &chunk, chunk.count), count > 0 { answer += chunk[..<count] }
    return answer
  }

  /// A listening socket on a port the kernel chose.
  static func listener() throws -> (descriptor: CInt, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) + listen(descriptor, 1) + getsockname(descriptor, $0, &size)
      }
    }
    guard result == 0 else { throw TemporaryFolder.Failure(errno: errno) }
    return (descriptor, Int(in_port_t(bigEndian: address.sin_port)))
  }
}
