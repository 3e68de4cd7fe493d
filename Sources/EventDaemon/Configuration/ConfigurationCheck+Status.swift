import Glibc

extension ConfigurationCheck {
  /// Asks whether the socket can be listened on, as `run` does; that of this configuration's own daemon is fine.
  mutating func checkSocket(_ status: Configuration.Status) {
    do throws(StatusFailure) {
      try StatusServer.check(socket: status.socket, ownedBy: lockHolders)
    } catch {
      add(.problem, "[status] socket: \(error.message)", hint: error.hint)
    }
  }

  /// Notes an address that can't be listened on now, unless the running daemon may be the one that does.
  mutating func checkListenAddress(_ status: Configuration.Status) {
    guard let listen = status.listen, listen.port != 0, let errno = listen.errnoOfListening() else { return }
    let isRunning: Bool
    do throws(StatusFailure) {
      _ = try StatusClient(socket: status.socket, timeout: .seconds(2)).get("/healthz")
      isRunning = true
    } catch {
      isRunning = error.code != .notRunning
    }
    // Of the daemon's user is the daemon.
    let users = Self.listeners(on: listen.port)
    guard !isRunning || errno == EADDRINUSE && !users.isEmpty && !users.contains(geteuid()) else { return }
    add(
      .note, "[status] listen, \(listen): \(String(cString: strerror(errno)))",
      hint: StatusServer.hint(ofListening: errno))
  }

  /// The users whose sockets listen on a TCP port: proc(5), "/proc/net/tcp".
  static func listeners(on port: Int) -> Set<uid_t> {
    var users: Set<uid_t> = []
    for name in ["tcp", "tcp6"] {
      let table = try? FileContents("/proc/self/net/\(name)", maximumSize: 64 << 20)
      for line in String(decoding: table?.bytes ?? [], as: UTF8.self).split(separator: "\n") {
        // "0: 0100007F:2383 00000000:0000 0A …"; 0A: it listens.
        let fields = line.split(separator: " ")
        guard fields.count > 7, fields[3] == "0A", let user = uid_t(fields[7]),
          fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port
        else { continue }
        users.insert(user)
      }
    }
    return users
  }
}

extension ListenAddress {
  /// Why a socket can't listen on this address now; nil if it can, and for a name that only the network resolves.
  fileprivate func errnoOfListening() -> CInt? {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let name = host == "localhost" ? "127.0.0.1" : host
    guard getaddrinfo(name, "\(port)", &hints, &found) == 0, let address = found?.pointee else { return nil }
    defer { freeaddrinfo(found) }
    let descriptor = socket(address.ai_family, address.ai_socktype | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // As the server does: connections of an earlier run don't count.
    var isOn: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<CInt>.size))
    guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(descriptor, 1) == 0 else {
      return errno
    }
    return nil
  }
}
