import FoundationEssentials
import Glibc

/// The directory of one run, removed at its end.
final class BenchEnvironment {
  static let clientID = "bench"
  static let clientSecret = "bench-secret"

  let root: String
  let streams: [String]

  var configuration: String { "\(root)/box-eventd.toml" }
  var spool: String { "\(root)/spool" }
  var log: String { "\(root)/log" }
  var status: String { "\(root)/status.sock" }

  func spool(of stream: String) -> String { "\(spool)/\(stream)" }
  func state(of stream: String) -> String { "\(root)/state/\(stream)" }
  func position(of stream: String) -> String { "\(state(of: stream))/stream_position" }

  /// - Parameter streams: how many: of the users 1, 2 and so on.
  init(in directory: String, streams count: Int = 1) throws {
    root = try Self.temporaryDirectory(in: directory)
    streams = (1...max(1, count)).map { "stream-\($0)" }
    mkdir(spool, 0o750)
    mkdir("\(root)/state", 0o700)
    // From the start, so that they can be watched.
    for stream in streams { mkdir(state(of: stream), 0o700) }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  static func temporaryDirectory(in directory: String) throws -> String {
    var template = Array("\(directory)/box-eventd-bench.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw BenchmarkError("can't create a directory in \(directory)")
    }
    return String(cString: made)
  }

  /// - Parameters:
  ///   - start: `oldest` or `now`.
  ///   - more: streams besides.
  func configure(_ responder: Responder, overTLS: Bool, start: String, more: Int = 0) throws {
    try Files.write("\(root)/client-secret", Array(Self.clientSecret.utf8))
    let url = "\(overTLS ? "https" : "http")://127.0.0.1:\(responder.port)"
    let authority = overTLS ? responder.certificate.map { "ca_file = \"\($0.path)\"" } ?? "" : ""
    var text = """
      [box]
      api_url = "\(url)/2.0"
      token_url = "\(url)/oauth2/token"
      \(authority)
      [auth]
      client_id = "\(Self.clientID)"
      subject = "user:1"
      client_secret_file = "\(root)/client-secret"
      [spool]
      directory = "\(spool)"
      [state]
      directory = "\(root)/state"
      [status]
      socket = "\(status)"

      """
    for user in 1...(streams.count + more) {
      text += "[[stream]]\nname = \"stream-\(user)\"\nas_user = \"\(user)\"\nstart = \"\(start)\"\n"
    }
    try Files.write(configuration, Array(text.utf8))
  }
}
