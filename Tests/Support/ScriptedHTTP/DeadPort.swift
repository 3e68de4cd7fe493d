import Glibc

/// A port of loopback that nobody serves, held for the test, so that no other server gets it meanwhile.
package final class DeadPort: Sendable {
  package enum Kind: Sendable {
    /// Bound without listening: the kernel refuses each connection.
    case refusing
    /// Listening with a full queue: the kernel drops each further SYN, as a black hole does.
    case ignoring
  }

  package struct Failure: Error { var errno: Int32 }

  package let port: Int
  private let descriptors: [Int32]

  package init(_ kind: Kind) throws(Failure) {
    let bound = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(bound, $0, size) == 0 && getsockname(bound, $0, &size) == 0
      }
    }
    guard isBound, kind == .refusing || listen(bound, 0) == 0 else { throw Failure(errno: errno) }
    let fillers = kind == .refusing ? 0 : 3
    descriptors =
      [bound]
      + (0..<fillers).map { _ in
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let filler = socket(AF_INET, flags, 0)
        withUnsafePointer(to: &address) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(filler, $0, size) }
        }
        return filler
      }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
