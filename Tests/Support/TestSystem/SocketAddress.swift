import Glibc

/// Where a socket of a test is: on loopback, or in the file system.
package enum SocketAddress {
  /// 0, or -1 with the reason in `errno`, as with the calls below.
  package static func bind(_ descriptor: CInt, port: Int) -> CInt {
    with(loopback(port)) { Glibc.bind(descriptor, $0, $1) }
  }

  package static func connect(_ descriptor: CInt, port: Int) -> CInt {
    with(loopback(port)) { Glibc.connect(descriptor, $0, $1) }
  }

  /// - Parameter path: at most 107 bytes.
  package static func bind(_ descriptor: CInt, path: String) -> CInt {
    with(path) { Glibc.bind(descriptor, $0, $1) }
  }

  /// - Parameter path: at most 107 bytes.
  package static func connect(_ descriptor: CInt, path: String) -> CInt {
    with(path) { Glibc.connect(descriptor, $0, $1) }
  }

  /// The port a socket is bound to; nil with the reason in `errno`.
  package static func port(of descriptor: CInt) -> Int? {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return result == 0 ? Int(in_port_t(bigEndian: address.sin_port)) : nil
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func with(_ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      guard path.utf8.count < bytes.count else { return false }
      bytes.copyBytes(from: path.utf8)
      return true
    }
    guard fits else {
      errno = ENAMETOOLONG
      return -1
    }
    return with(address, call)
  }

  private static func with<Address>(
    _ address: Address, _ call: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        call($0, socklen_t(MemoryLayout<Address>.size))
      }
    }
  }
}
