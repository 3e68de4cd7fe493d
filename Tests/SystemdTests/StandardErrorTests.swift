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

  @Test func aClosedDescriptorIsGivenUp() {
    StandardError.write("nobody reads this\n", to: -1)
  }

  @Test func timesAreUniversalAndPadded() {
    #expect(StandardError.timestamp(0) == "1970-01-01T00:00:00Z")
    #expect(StandardError.timestamp(951_782_399) == "2000-02-28T23:59:59Z")
    #expect(StandardError.timestamp(4_102_444_801) == "2100-01-01T00:00:01Z")
  }

  private func receive(from descriptor: CInt) -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }
}
