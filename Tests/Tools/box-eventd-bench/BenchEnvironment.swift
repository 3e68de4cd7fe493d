import BoxSimulator
import FoundationEssentials
import Glibc

/// The directory of one run, removed at its end.
struct BenchEnvironment: ~Copyable {
  static let stream = "bench"

  let root: String

  var configuration: String { "\(root)/box-eventd.toml" }
  var spool: String { "\(root)/spool" }
  var log: String { "\(root)/log" }

  /// The directory of a stream's position. It exists from the start, so that it can be watched.
  func state(of stream: String) -> String { "\(root)/state/\(stream)" }
  func position(of stream: String) -> String { "\(state(of: stream))/stream_position" }

  init(in directory: String, streams: [String] = [Self.stream]) throws {
    var template = Array("\(directory)/box-eventd-bench.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw BenchmarkError("cannot create a directory in \(directory)")
    }
    root = String(cString: made)
    mkdir(spool, 0o750)
    mkdir("\(root)/state", 0o700)
    for stream in streams { mkdir(state(of: stream), 0o700) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: root)
  }

  func configure(_ simulator: BoxSimulator, streams: [String], start: String) throws {
    let credentials = simulator.options.credentials
    try Files.write("\(root)/client-secret", Array(credentials.clientSecret.utf8))
    var text = """
      [box]
      api_url = "\(simulator.apiURL)"
      token_url = "\(simulator.tokenURL)"
      [auth]
      method = "client-credentials"
      client_id = "\(credentials.clientID)"
      subject = "user:\(credentials.users.first ?? "")"
      client_secret_file = "\(root)/client-secret"
      [spool]
      directory = "\(spool)"
      [state]
      directory = "\(root)/state"
      [status]
      socket = "\(root)/status.sock"

      """
    for stream in streams { text += "[[stream]]\nname = \"\(stream)\"\nstart = \"\(start)\"\n" }
    try Files.write(configuration, Array(text.utf8))
  }
}
