import Glibc
import Testing

@testable import EventDaemon

@Suite struct StatusClientTests {
  private let folder: TemporaryFolder
  private var socket: String { folder.path + "/s" }

  init() throws { folder = try TemporaryFolder() }

  private func failure(_ socket: String) -> StatusFailure? {
    do {
      _ = try StatusClient(socket: socket, timeout: .milliseconds(100)).report()
      return nil
    } catch {
      return error
    }
  }

  /// A socket that is bound, and listening if asked to, but never answers.
  private func mute(listening: Bool) -> CInt {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socket.utf8)) }
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if listening { listen(descriptor, 1) }
    return descriptor
  }

  @Test func noSocketMeansNotRunning() {
    let failure = failure(socket)
    #expect(failure?.code == .notRunning)
    #expect(failure?.message == "box-eventd is not running: nobody listens on \(socket)")
    #expect(failure?.hint.contains("systemctl start box-eventd") == true)
  }

  @Test func aSocketLeftBehindMeansNotRunning() {
    close(mute(listening: false))
    #expect(failure(socket)?.code == .notRunning)
  }

  @Test func aMuteDaemonIsGivenUp() {
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    #expect(failure(socket)?.code == .unresponsive)
  }

  @Test func aPathTooLongIsAnErrorNotATrap() {
    #expect(failure("/" + String(repeating: "x", count: 200))?.code == .unresponsive)
  }

  @Test func permissionDeniedSaysWhoMayAsk() throws {
    guard geteuid() != 0 else { return }
    let descriptor = mute(listening: true)
    defer { close(descriptor) }
    #expect(chmod(socket, 0) == 0)
    #expect(failure(socket)?.code == .permissionDenied)
  }
}
