import Glibc
import Testing

@testable import Systemd

struct StandardErrorTests {
  @Test func aLineIsOneWrite() throws {
    // A datagram socket keeps the borders between writes, which a pipe would lose.
    var ends: [CInt] = [-1, -1]
    try #require(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    StandardError.write("first line\n", to: ends[0])
    StandardError.write(String(repeating: "ä", count: 5000) + "\n", to: ends[0])
    #expect(receive(from: ends[1]) == "first line\n")
    #expect(receive(from: ends[1]) == String(repeating: "ä", count: 5000) + "\n")
    #expect(receive(from: ends[1]) == nil)
  }

  @Test func ignoresAClosedDescriptor() {
    StandardError.write("not read\n", to: -1)
  }

  /// A signal ends a write to a full pipe in its middle; what is left follows.
  @Test func aSignalDoesNotCutALine() throws {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    var action = sigaction()
    // Nothing else uses this signal; without SA_RESTART it interrupts.
    action.__sigaction_handler.sa_handler = { _ in }
    try #require(sigaction(SIGURG, &action, nil) == 0)
    let line = String(repeating: "x", count: 300_000) + "\n"
    let writer = try WritingThread(line, to: ends[1])
    defer { writer.join() }
    var received = 0
    while received < line.utf8.count {
      // Full, or nothing more to come.
      while available(in: ends[0]) < 65_536, !writer.hasEnded { sched_yield() }
      writer.signal(SIGURG)
      guard available(in: ends[0]) > 0 else { break }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      received += max(0, read(ends[0], &buffer, buffer.count))
    }
    #expect(received == line.utf8.count)
  }

  private func available(in descriptor: CInt) -> CInt {
    var count: CInt = 0
    _ = ioctl(descriptor, UInt(FIONREAD), &count)
    return count
  }

  private func receive(from descriptor: CInt) -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }
}
