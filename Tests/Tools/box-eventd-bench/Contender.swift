import BoxSimulator

/// What is measured.
enum Contender {
  /// The path of `box-eventd`.
  case daemon(String)
  /// The path of the floor.
  case floor(String)

  /// Starts it with the first user.
  /// - Parameter start: `oldest` or `now`, as the daemon's configuration has it.
  func launch(_ environment: borrowing BenchEnvironment, _ simulator: BoxSimulator, start: String) throws
    -> Child
  {
    switch self {
    case .daemon(let path):
      try environment.configure(simulator, streams: [BenchEnvironment.stream], start: start)
      return try Child(path, ["run", "--config", environment.configuration], log: environment.log)
    case .floor(let path):
      let credentials = simulator.options.credentials
      var arguments = [
        BoxSimulator.host, "\(simulator.port)", credentials.clientID, credentials.clientSecret,
        credentials.users.first ?? "", start == "oldest" ? "0" : start, environment.spool + "/events",
        environment.position(of: BenchEnvironment.stream),
      ]
      if simulator.options.offersGzip { arguments.append("gzip") }
      return try Child(path, arguments, log: environment.log)
    }
  }
}

/// A value for each contender.
struct Sides<Value> {
  var daemon: Value
  var floor: Value
}
