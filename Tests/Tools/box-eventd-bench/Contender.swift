import Glibc

/// What is measured.
enum Contender: CaseIterable {
  case daemon
  case floor
  case daemonOverTLS

  /// Starts it with the environment's streams; the floor has the first one only.
  /// - Parameters:
  ///   - start: `oldest` or `now`, as the daemon's configuration has it.
  ///   - manager: gets the daemon's notifications.
  func launch(
    _ programs: Programs, _ environment: BenchEnvironment, _ responder: Responder, start: String,
    acceptsGzip: Bool = false, manager: ServiceManager? = nil
  ) throws -> Child {
    /// It ends with this process, however that ends.
    func child(_ arguments: [String], _ manager: ServiceManager? = nil) throws -> Child {
      try Child(
        programs.responder, ["exec"] + arguments,
        environment: manager.map { ["NOTIFY_SOCKET": $0.path] } ?? [:], log: environment.log)
    }
    switch self {
    case .daemon, .daemonOverTLS:
      try environment.configure(responder, overTLS: self == .daemonOverTLS, start: start)
      return try child([programs.daemon, "run", "--config", environment.configuration], manager)
    case .floor:
      mkdir(environment.spool(of: environment.streams[0]), 0o750)
      let arguments = [
        programs.floor, "127.0.0.1", "\(responder.port)", BenchEnvironment.clientID,
        BenchEnvironment.clientSecret, "1",
        start == "oldest" ? "0" : start, environment.spool(of: environment.streams[0]) + "/events",
        environment.position(of: environment.streams[0]),
      ]
      return try child(arguments + (acceptsGzip ? ["gzip"] : []))
    }
  }
}
