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

  /// Notes an address that can't be listened on now, unless a running daemon may be the one that does.
  mutating func checkListenAddress(_ status: Configuration.Status) {
    guard let listen = status.listen, listen.port != 0, let errno = listen.errnoOfListening() else { return }
    do throws(StatusFailure) {
      _ = try StatusClient(socket: status.socket, timeout: .seconds(2)).get("/healthz")
    } catch {
      guard error.code == .notRunning else { return }
      add(
        .note, "[status] listen, \(listen): \(String(cString: strerror(errno)))",
        hint: StatusServer.hint(ofListening: errno))
    }
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
