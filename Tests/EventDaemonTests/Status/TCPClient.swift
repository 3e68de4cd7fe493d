import Glibc
import TestSystem

@testable import EventDaemon

/// The least of a client over TCP.
enum TCPClient {
  static func connect(port: Int, sending text: String) throws -> CInt {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bytes = Array(text.utf8)
    guard SocketAddress.connect(descriptor, port: port) == 0,
      write(descriptor, bytes, bytes.count) == bytes.count
    else {
      close(descriptor)
      throw TemporaryFolder.Failure(errno: errno)
    }
    return descriptor
  }

  static func get(port: Int, _ path: String) throws -> HTTPAnswer? {
    HTTPAnswer(parsing: try exchange(port: port, "GET \(path)"))
  }

  /// All bytes of the answer to a request such as `HEAD /status`.
  static func exchange(port: Int, _ request: String, host: String = "localhost") throws -> [UInt8] {
    let request = "\(request) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
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
    guard SocketAddress.bind(descriptor, port: 0) == 0, listen(descriptor, 1) == 0,
      let port = SocketAddress.port(of: descriptor)
    else {
      close(descriptor)
      throw TemporaryFolder.Failure(errno: errno)
    }
    return (descriptor, port)
  }
}
