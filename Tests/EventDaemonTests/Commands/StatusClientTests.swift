import Glibc
import TestSystem
import Testing

@testable import EventDaemon

@Suite struct StatusClientTests {
  private let folder: TemporaryFolder
  private var socket: String { folder.path + "/s" }

  init() throws { folder = try TemporaryFolder() }

  private func failure(_ socket: String) -> StatusFailure? {
    Self.failure(socket, within: .milliseconds(100))
  }

  private static func failure(_ socket: String, within timeout: Duration) -> StatusFailure? {
    do {
      _ = try StatusClient(socket: socket, timeout: timeout).report()
      return nil
    } catch {
      return error
    }
  }

  /// A socket that is bound, and listening if asked to, but never answers.
  private func mute(listening: Bool) -> CInt {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #expect(SocketAddress.bind(descriptor, path: socket) == 0)
    if listening { listen(descriptor, 1) }
    return descriptor
  }

  @Test func noSocketMeansNotRunning() {
    let failure = failure(socket)
    #expect(failure?.code == .notRunning)
    #expect(failure?.message == "box-eventd is not running: no listener on \(socket)")
    #expect(failure?.hint?.contains("systemctl start box-eventd") == true)
  }

  @Test func aSocketLeftBehindMeansNotRunning() {
    close(mute(listening: false))
    #expect(failure(socket)?.code == .notRunning)
  }

  @Test func endsWaitingForASilentDaemon() {
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    #expect(failure(socket)?.code == .unresponsive)
  }

  /// Each byte arrives in time, and the answer never ends by itself.
  @Test func endsWaitingForADaemonThatAnswersByteByByte() async throws {
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    async let served: Void = ThreadWork.run {
      let connection = accept(descriptor, nil, nil)
      defer { close(connection) }
      // Some three seconds, unless the client goes.
      for _ in 0..<300 {
        var gone = pollfd(fd: connection, events: 0, revents: 0)
        guard poll(&gone, 1, 10) == 0, send(connection, [UInt8(0x20)], 1, Int32(MSG_NOSIGNAL)) == 1 else {
          return
        }
      }
    }
    let failure = await ThreadWork.run { [socket] in Self.failure(socket, within: .milliseconds(200)) }
    await served
    #expect(failure?.code == .unresponsive)
    #expect(failure?.message == "\(socket): no complete answer within 0 s")
    #expect(failure?.errno == EAGAIN || failure?.errno == ETIMEDOUT)
  }

  @Test func reportsAPathThatIsTooLong() {
    #expect(failure("/" + String(repeating: "x", count: 200))?.code == .unresponsive)
  }

  @Test func permissionDeniedNamesTheGroup() async throws {
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    #expect(chmod(folder.path, 0o711) == 0 && chmod(socket, 0o060) == 0)
    let isRoot = geteuid() == 0
    if isRoot { #expect(chown(socket, 0, 1) == 0) } else { #expect(chmod(socket, 0) == 0) }
    let group = try #require(getgrgid(1).map { String(cString: $0.pointee.gr_name) })
    let failure = await ThreadWork.run { [socket] in
      ThreadWork.dropRoot()
      return Self.failure(socket, within: .seconds(60))
    }
    #expect(failure?.code == .permissionDenied)
    #expect(failure?.message == "\(socket): permission denied")
    #expect(
      failure?.hint?.hasPrefix(isRoot ? "Use sudo, or add the user to the group \(group): " : "Use sudo.")
        == true)
    #expect(failure?.errno == EACCES)
  }

  /// As the package makes it: whoever isn't in the group doesn't see the socket.
  @Test func permissionDeniedNamesTheGroupOfADirectoryThatIsClosed() async throws {
    guard geteuid() == 0 else { return }
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    let group = try #require(getgrgid(1).map { String(cString: $0.pointee.gr_name) })
    for (mode, hint) in [
      (0o2750, "Use sudo, or add the user to the group \(group): "), (0o700, "Use sudo."),
    ] as [(mode_t, String)] {
      #expect(chown(folder.path, 0, 1) == 0 && chmod(folder.path, mode) == 0)
      let failure = await ThreadWork.run { [socket] in
        ThreadWork.dropRoot()
        return Self.failure(socket, within: .seconds(60))
      }
      #expect(failure?.code == .permissionDenied)
      #expect(failure?.hint?.hasPrefix(hint) == true, "\(failure?.hint ?? "")")
    }
  }

  /// Accepts one connection, reads the request, and answers with these pieces.
  private func answering(_ pieces: [[UInt8]]) async throws -> StatusFailure? {
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    async let served: Void = ThreadWork.run {
      let connection = accept(descriptor, nil, nil)
      var request = [UInt8](repeating: 0, count: 4096)
      _ = recv(connection, &request, request.count, 0)
      for piece in pieces {
        guard send(connection, piece, piece.count, Int32(MSG_NOSIGNAL)) == piece.count else { break }
      }
      close(connection)
    }
    let failure = await ThreadWork.run { [socket] in Self.failure(socket, within: .seconds(60)) }
    await served
    return failure
  }

  @Test func joinsAnAnswerThatArrivesInPieces() async throws {
    let body = StatusReport(Snapshots.daemon([Snapshots.healthy])).json
    let text = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    #expect(try await answering(Array(text.utf8).map { [$0] }) == nil)
  }

  @Test func reportsAnswersThatAreNotFromBoxEventd() async throws {
    let noHTTP = try await answering([Array("SSH-2.0-OpenSSH\r\n".utf8)])
    #expect(noHTTP?.code == .unreadable)
    #expect(noHTTP?.message == "\(socket): the answer is not HTTP")
    unlink(socket)
    let noReport = try await answering([Array("HTTP/1.1 200 OK\r\n\r\n[]".utf8)])
    #expect(noReport?.code == .unreadable)
  }

  @Test func limitsTheSizeOfAnAnswer() async throws {
    let megabyte = [UInt8](repeating: 0x20, count: 1 << 20)
    let failure = try await answering(Array(repeating: megabyte, count: 80))
    #expect(failure?.code == .unreadable)
    #expect(failure?.message == "\(socket): the answer exceeds 64 MiB")
  }
}

@Suite struct HTTPAnswerTests {
  @Test func theLengthLimitsTheBody() throws {
    let answer = try #require(
      HTTPAnswer(parsing: Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc".utf8)))
    #expect(answer.status == 200)
    #expect(answer.body == Array("ab".utf8))
  }

  @Test func withoutALengthTheBodyEndsWithTheConnection() {
    let answer = HTTPAnswer(parsing: Array("HTTP/1.0 503 No\r\n\r\nabc\r\n\r\n".utf8))
    #expect(answer?.status == 503)
    #expect(answer.map { String(decoding: $0.body, as: UTF8.self) } == "abc\r\n\r\n")
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "SSH-2.0\r\n\r\n", "\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 99999 OK\r\n\r\n",
  ])
  func rejectsInvalidAndIncompleteAnswers(text: String) {
    #expect(HTTPAnswer(parsing: Array(text.utf8)) == nil)
  }
}
