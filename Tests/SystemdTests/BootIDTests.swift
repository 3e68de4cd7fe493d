import Glibc
import Testing

@testable import Systemd

struct BootIDTests {
  @Test func equalsTheKernelsIDWithoutDashes() throws {
    let file = try #require(fopen("/proc/sys/kernel/random/boot_id", "r"))
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = fread(&buffer, 1, buffer.count, file)
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    let id = try BootID.ofKernel()
    #expect(id == text.filter { $0.isHexDigit })
    #expect(BootID.isValid(id))
  }

  @Test(arguments: [
    "", "c4159e16-cfb7-43a7-8800-890d5237eff4", "C4159E16CFB743A78800890D5237EFF4",
    "c4159e16cfb743a78800890d5237eff", "c4159e16cfb743a78800890d5237eff4a",
    "g4159e16cfb743a78800890d5237eff4", "00000000000000000000000000000000", "%b",
  ])
  func rejectsAnythingElse(_ text: String) {
    #expect(!BootID.isValid(text))
  }
}
