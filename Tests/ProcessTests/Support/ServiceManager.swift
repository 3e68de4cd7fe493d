import Dispatch
import Glibc
import Synchronization
import TestSystem

/// A Unix datagram socket in the role of systemd's, and every message it received.
final class ServiceManager: Sendable {
  struct Message: Sendable {
    var text: String
    /// When it was received.
    var at: ContinuousClock.Instant

    /// The value of a field; nil if it isn't there.
    subscript(_ name: String) -> String? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + "=") }
      return line.map { String($0.dropFirst(name.count + 1)) }
    }
  }

  /// Which messages are read before ``readOn()``.
  enum Reading: Sendable {
    case all
    /// As by one that waits for `READY=1` alone.
    case untilReady
    /// As by one that is frozen.
    case nothing
  }

  let path: String
  private let descriptor: Int32
  private let inbox = Inbox()
  private let pause = DispatchSemaphore(value: 0)

  private final class Inbox: Sendable {
    let messages = Mutex<[Message]>([])
  }

  /// - Parameter path: where to listen, at most 107 bytes.
  init(path: String, reading: Reading = .all) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard SocketAddress.bind(descriptor, path: path) == 0 else {
      throw ChildProcess.Failure(call: "bind", errno: errno)
    }
    receive(reading)
  }

  deinit {
    shutdown(descriptor, Int32(SHUT_RDWR))
    readOn()
  }

  /// Reads also what follows.
  func readOn() { pause.signal() }

  /// Fills the socket of one that doesn't read: the next message has to wait.
  func fill() throws {
    while true {
      // Each message from a socket of its own, whose buffer is empty: what is full is the manager's.
      let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      defer { close(sender) }
      guard SocketAddress.connect(sender, path: path) == 0 else {
        throw ChildProcess.Failure(call: "connect", errno: errno)
      }
      guard send(sender, "X=1", 3, 0) < 0 else { continue }
      guard errno == EAGAIN else { throw ChildProcess.Failure(call: "send", errno: errno) }
      return
    }
  }

  /// Receives every message at once, as systemd does, or up to a point.
  private func receive(_ reading: Reading) {
    DispatchQueue(label: "notify").async { [descriptor, inbox, pause] in
      defer { close(descriptor) }
      var mayPause = reading == .untilReady
      if reading == .nothing { pause.wait() }
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return }
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        inbox.messages.withLock { $0.append(Message(text: text, at: .now)) }
        if mayPause, text.hasPrefix("READY=1") {
          mayPause = false
          pause.wait()
        }
      }
    }
  }

  /// What the daemon needs to find it.
  var environment: [String: String] { ["NOTIFY_SOCKET": path] }

  /// Everything so far.
  var messages: [Message] { inbox.messages.withLock { $0 } }

  /// The names of the fields received, in order; repetitions of one name count once.
  var order: [String] {
    let names = messages.flatMap { $0.text.split(separator: "\n") }.map { String($0.prefix { $0 != "=" }) }
    return names.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  /// Messages with a field of this name.
  func messages(with name: String) -> [Message] { messages.filter { $0[name] != nil } }

  /// Waits until so many messages with a field have come, and returns the last of these.
  @discardableResult
  func received(_ name: String, times: Int = 1, within limit: Duration = .seconds(120)) async throws
    -> Message
  {
    try await eventually("\(name) × \(times), got \(order)", within: limit) {
      messages(with: name).count >= times
    }
    return messages(with: name)[times - 1]
  }

  /// Waits until the last messages carry this error, by number and by name: they may still arrive after the process
  /// has ended.
  func received(errno: Int32) async throws {
    let reason = String(cString: strerror(errno))
    try await eventually("ERRNO=\(errno), \(reason); got \(messages.suffix(3).map(\.text))") {
      messages(with: "ERRNO").last?["ERRNO"] == "\(errno)"
        && messages(with: "STATUS").last?["STATUS"]?.contains(reason) == true
    }
  }
}
