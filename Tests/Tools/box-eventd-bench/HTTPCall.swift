import Glibc
import TestSystem

/// One call over a connection of its own.
enum HTTPCall {
  static func get(_ target: String, port: Int) throws -> String {
    try get(target) { SocketAddress.connect($0, port: port) }
  }

  static func get(_ target: String, socket path: String) throws -> String {
    try get(target, family: AF_UNIX) { SocketAddress.connect($0, path: path) }
  }

  private static func get(
    _ target: String, family: Int32 = AF_INET, connect: (Int32) -> Int32
  ) throws -> String {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    guard descriptor >= 0, connect(descriptor) == 0 else {
      throw BenchmarkError("can't connect for \(target)")
    }
    let request = Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    guard write(descriptor, request, request.count) == request.count else {
      throw BenchmarkError("can't send \(target)")
    }
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 262_144)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { throw BenchmarkError("can't receive \(target)") }
      if count == 0 { break }
      answer += chunk[..<count]
    }
    return try body(of: answer, target)
  }

  private static func body(of answer: [UInt8], _ target: String) throws -> String {
    let end = Array("\r\n\r\n".utf8)
    guard answer.starts(with: "HTTP/1.1 200 ".utf8),
      let start = (0..<max(0, answer.count - 3)).first(where: { answer[$0..<$0 + 4].elementsEqual(end) })
    else {
      throw BenchmarkError("\(target) was answered: \(String(decoding: answer.prefix(200), as: UTF8.self))")
    }
    return String(decoding: answer[(start + 4)...], as: UTF8.self)
  }
}
