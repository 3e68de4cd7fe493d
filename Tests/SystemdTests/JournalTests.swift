import Testing

@testable import Systemd

struct JournalTests {
  @Test func theVariableNamesDeviceAndInode() {
    #expect(Journal.isStream("8:4711", device: 8, inode: 4711))
    #expect(!Journal.isStream("8:4711", device: 9, inode: 4711))
    #expect(!Journal.isStream("8:4711", device: 8, inode: 4712))
  }

  @Test(arguments: [nil, "", ":", "8", "8:", ":4711", "8:4711:0", "x:y", "-8:4711", "8: 4711"])
  func rejectsAnythingElse(_ variable: String?) {
    #expect(!Journal.isStream(variable, device: 8, inode: 4711))
    #expect(!Journal.isStream(variable, device: 0, inode: 0))
  }
}
