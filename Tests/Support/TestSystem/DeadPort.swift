import Glibc

/// A port of loopback without a server, held for the test, so that no other server gets it meanwhile.
package final class DeadPort: Sendable {
  package enum Kind: Sendable {
    /// Bound without listening: the kernel refuses each connection.
    case refusing
    /// Listening with a full queue: the kernel drops each further SYN, as a black hole does.
    case ignoring
    /// Listening, but without accepting: a connection is made, and never answered.
    case silent
  }

  package struct Failure: Error { var errno: Int32 }

  package let port: Int
  private let descriptors: [Int32]

  package init(_ kind: Kind) throws(Failure) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let bound = socket(AF_INET, type, 0)
    guard SocketAddress.bind(bound, port: 0) == 0, let port = SocketAddress.port(of: bound),
      kind == .refusing || listen(bound, kind == .silent ? 64 : 0) == 0
    else { throw Failure(errno: errno) }
    self.port = port
    let fillers = (0..<(kind == .ignoring ? 8 : 0)).map { _ in
      let filler = socket(AF_INET, type, 0)
      _ = SocketAddress.connect(filler, port: port)
      return filler
    }
    descriptors = [bound] + fillers
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
