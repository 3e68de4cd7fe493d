import Testing

@testable import EventDaemon

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("0", 0), ("4096", 4_096), ("12B", 12), ("1KiB", 1_024), ("64MiB", 67_108_864),
    ("256MiB", 268_435_456), ("2GiB", 2_147_483_648), ("1TiB", 1_099_511_627_776), ("1KB", 1_000),
    ("3MB", 3_000_000), ("2GB", 2_000_000_000), ("1TB", 1_000_000_000_000),
  ])
  func readsDigitsAndUnit(text: String, bytes: Int64) {
    #expect(ByteCount(text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", "MiB", "-1", "-1MiB", "+1", "1.5MiB", "64 MiB", "64mib", "64M", "64MiBs", "0x10", "١KiB",
    "9223372036854775808", "8388608TiB", "1_000",
  ])
  func refusesAnythingElse(text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test func printsTheLargestWholeUnit() {
    #expect(ByteCount.mebibytes(64).description == "64MiB")
    #expect(ByteCount(1_000).description == "1000B")
    #expect(ByteCount(1_536).description == "1536B")
    #expect(ByteCount.kibibytes(1_024).description == "1MiB")
    #expect(ByteCount(0).description == "0")
    #expect(ByteCount(-5).bytes == 0)
  }
}
