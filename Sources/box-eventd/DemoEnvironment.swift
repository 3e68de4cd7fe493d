import BoxSimulator
import EventDaemon
import Glibc

/// The demo's directory: configuration, secret, spool, state and log.
struct DemoEnvironment {
  let root: String

  var configuration: String { "\(root)/box-eventd.toml" }
  var socket: String { "\(root)/status.sock" }
  var spool: String { "\(root)/spool/demo" }
  var log: String { "\(root)/daemon.log" }

  init() throws {
    var template = Array("/tmp/box-eventd-demo.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw DaemonFailure(
        .io, "can't make a directory in /tmp: \(String(cString: strerror(errno)))",
        hint: "Free some space there, or let this user write to it.")
    }
    root = String(cString: made)
  }

  func configure(_ simulator: BoxSimulator) throws {
    try write("\(root)/client-secret", simulator.options.credentials.clientSecret + "\n", mode: 0o600)
    let text = """
      # The demo's configuration; the real one is /etc/box-eventd/box-eventd.toml.
      [box]
      api_url = "\(simulator.apiURL)"
      token_url = "\(simulator.tokenURL)"

      [auth]
      method = "client-credentials"
      client_id = "\(simulator.options.credentials.clientID)"
      subject = "user:\(simulator.options.credentials.users.first ?? "")"
      client_secret_file = "\(root)/client-secret"

      [spool]
      directory = "\(root)/spool"
      segment_size = "1MiB"

      [state]
      directory = "\(root)/state"

      [status]
      socket = "\(socket)"

      [[stream]]
      name = "demo"
      start = "oldest"

      """
    try write(configuration, text, mode: 0o644)
  }

  /// The spool's lines, segment after segment.
  var spooledLines: [[UInt8]] {
    segments.flatMap { path in
      read("\(spool)/\(path)").split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
  }

  /// How many complete lines there are.
  var spooledCount: Int {
    segments.reduce(0) { $0 + read("\(spool)/\($1)").count { $0 == UInt8(ascii: "\n") } }
  }

  /// The last lines of the newest segment.
  func lastLines(_ count: Int) -> [[UInt8]] {
    guard let newest = segments.last else { return [] }
    return read("\(spool)/\(newest)").split(separator: UInt8(ascii: "\n")).suffix(count).map(Array.init)
  }

  var segments: [String] {
    guard let directory = opendir(spool) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix("events-") { names.append(name) }
    }
    return names.sorted()
  }

  private func write(_ path: String, _ text: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw DaemonFailure(
        .io, "can't write \(path): \(String(cString: strerror(errno)))", hint: "Free some space there.")
    }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw DaemonFailure(
        .io, "can't write \(path): \(String(cString: strerror(errno)))", hint: "Free some space there.")
    }
  }

  private func read(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return contents }
      contents.append(contentsOf: chunk[..<count])
    }
  }
}
