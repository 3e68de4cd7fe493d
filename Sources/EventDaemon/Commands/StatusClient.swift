import BoxEvents
import Glibc

/// The client of the daemon's Unix socket: one blocking GET a call, for commands, not for the daemon itself.
package struct StatusClient: Sendable {
  package let socket: String
  /// The daemon's unit, for hints.
  package let unit: String
  /// How long everything may take, from the connection to the last byte of the answer.
  package let timeout: Duration

  /// Some thousands of streams give a few megabytes.
  static let maximumAnswer = 64 << 20

  package init(socket: String, unit: String = "box-eventd", timeout: Duration = .seconds(5)) {
    self.socket = socket
    self.unit = unit
    self.timeout = timeout
  }

  package func report() throws(StatusFailure) -> StatusReport {
    try StatusReport(parsing: get("/status").body)
  }

  /// The process that listens on the socket now, 0 where it can't be told; nil if none does. See unix(7), SO_PEERCRED.
  func listener() -> pid_t? {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    do {
      try connect(descriptor, before: .now + timeout)
    } catch {
      // Its queue is full.
      return error.errno == EAGAIN ? 0 : nil
    }
    // A ucred: process, user, group.
    var peer: (pid_t, uid_t, gid_t) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: peer))
    getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size)
    return peer.0
  }

  package func get(_ path: String) throws(StatusFailure) -> HTTPAnswer {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failed(errno) }
    defer { close(descriptor) }
    let end = ContinuousClock.now + timeout
    try connect(descriptor, before: end)
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try send(descriptor, Array(request.utf8), before: end)
    guard let answer = HTTPAnswer(parsing: try receive(descriptor, before: end)) else {
      throw StatusFailure(
        .unreadable, "\(socket): the answer is not HTTP",
        hint: "Check [status] socket: another program listens on it.")
    }
    return answer
  }
}

extension StatusClient {
  /// Lets the next call wait until `end` and no longer.
  private func limit(_ descriptor: CInt, to end: ContinuousClock.Instant) throws(StatusFailure) {
    let parts = (end - .now).components
    // A timeval, whose own fields the static standard library's modules hide: seconds, microseconds.
    var time = (Int(parts.seconds), Int(parts.attoseconds / 1_000_000_000_000))
    // Zero would be no limit.
    guard time.0 > 0 || time.1 > 0 else { throw failed(ETIMEDOUT) }
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  private func connect(
    _ descriptor: CInt, before end: ContinuousClock.Instant
  ) throws(StatusFailure) {
    try limit(descriptor, to: end)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = socket.utf8
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { throw failed(ENAMETOOLONG) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw failed(errno) }
  }

  private func send(
    _ descriptor: CInt, _ bytes: [UInt8], before end: ContinuousClock.Instant
  ) throws(StatusFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      try limit(descriptor, to: end)
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failed(errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Everything up to the end of the connection.
  private func receive(
    _ descriptor: CInt, before end: ContinuousClock.Instant
  ) throws(StatusFailure) -> [UInt8] {
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while answer.count <= Self.maximumAnswer {
      try limit(descriptor, to: end)
      let count = recv(descriptor, &chunk, chunk.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failed(errno) }
      if count == 0 { return answer }
      answer += chunk[..<count]
    }
    throw StatusFailure(
      .unreadable, "\(socket): the answer exceeds \(Self.maximumAnswer >> 20) MiB",
      hint: "Run: systemctl restart \(unit).")
  }

  private func failed(_ number: CInt) -> StatusFailure {
    switch number {
    case ENOENT, ECONNREFUSED:
      StatusFailure(
        .notRunning, "box-eventd is not running: no listener on \(socket)",
        hint: "Run: systemctl start \(unit). Why it stopped is in: journalctl -u \(unit).",
        errno: number)
    case EACCES, EPERM:
      StatusFailure(
        .permissionDenied, "\(socket): permission denied",
        hint: GroupAccess.hint(socket), errno: number)
    case EAGAIN, ETIMEDOUT:
      StatusFailure(
        .unresponsive, "\(socket): no complete answer within \(timeout.components.seconds) s",
        hint: "The watchdog restarts a stuck daemon. See: journalctl -u \(unit).", errno: number)
    default:
      StatusFailure(
        .unresponsive, "\(socket): \(String(cString: strerror(number)))",
        hint: "See: journalctl -u \(unit).", errno: number)
    }
  }
}

/// Why the daemon can't be asked, or can't answer; and why its server can't listen.
package struct StatusFailure: ExplainedError, Hashable, Sendable {
  package enum Code: Hashable, Sendable {
    /// The socket is missing, or without a listener.
    case notRunning
    case permissionDenied
    /// The daemon took the connection and didn't answer in time.
    case unresponsive
    /// Not an answer of box-eventd.
    case unreadable
    /// The socket or port can't be listened on.
    case notListening
  }

  package var code: Code
  package var message: String
  package var hint: String?
  /// The system's error number, where a call failed.
  package var errno: CInt?

  package init(_ code: Code, _ message: String, hint: String, errno: CInt? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.errno = errno
  }
}

/// An HTTP/1.1 answer as the daemon's own server sends it: with a length, or a body that ends with the connection.
package struct HTTPAnswer: Hashable, Sendable {
  package var status: Int
  package var body: [UInt8]

  /// Nil if the bytes are not an answer, or fewer than its length.
  init?(parsing bytes: [UInt8]) {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else { return nil }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
      (100...599).contains(status)
    else { return nil }
    self.status = status
    body = Array(bytes[(end + separator.count)...])
    let header = "content-length:"
    let length = lines.dropFirst().first { $0.lowercased().hasPrefix(header) }
    if let length = length.flatMap({ Int($0.dropFirst(header.count).filter { $0 != " " }) }) {
      guard length >= 0, body.count >= length else { return nil }
      body = Array(body.prefix(length))
    }
  }
}
