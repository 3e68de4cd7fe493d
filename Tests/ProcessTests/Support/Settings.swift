import BoxSimulator

/// A configuration file, with what tests vary.
struct Settings {
  struct Stream {
    var name = "default"
    var type = "all"
    var asUser = ""
    var subject = ""
    var start = "oldest"
    var lookbackInterval = "0"
  }

  var box: [String]
  var auth: [String]
  var spool: [String]
  var state: String
  var socket: String
  var listen = ""
  var level = "info"
  var streams = [Stream()]

  /// The simulator's first user by client credentials.
  init(_ simulator: BoxSimulator, root: String) {
    let credentials = simulator.options.credentials
    box = [#"api_url = "\#(simulator.apiURL)""#, #"token_url = "\#(simulator.tokenURL)""#]
    auth = [
      #"method = "client-credentials""#, #"client_id = "\#(credentials.clientID)""#,
      #"subject = "user:\#(credentials.users[0])""#, #"client_secret_file = "\#(root)/client-secret""#,
    ]
    spool = [#"directory = "\#(root)/spool""#]
    state = "\(root)/state"
    socket = "\(root)/status.sock"
  }

  var text: String {
    let streams = streams.map { stream in
      """

      [[stream]]
      name = "\(stream.name)"
      type = "\(stream.type)"
      as_user = "\(stream.asUser)"
      subject = "\(stream.subject)"
      start = "\(stream.start)"
      overlap_check = "\(stream.lookbackInterval)"

      """
    }
    return """
      [box]
      \(box.joined(separator: "\n"))

      [auth]
      \(auth.joined(separator: "\n"))

      [spool]
      \(spool.joined(separator: "\n"))

      [state]
      directory = "\(state)"

      [status]
      socket = "\(socket)"
      listen = "\(listen)"

      [log]
      level = "\(level)"
      """ + "\n" + streams.joined()
  }
}
