import Glibc
import Testing

@testable import EventDaemon

@Suite struct ThreadLimitTests {
  @Test(arguments: [false, true]) func startsThreadsAndEndsThem(allocating: Bool) {
    let (started, errno) = ThreadLimit.start(ThreadLimit.need, allocating: allocating)
    #expect(started == ThreadLimit.need)
    #expect(errno == 0)
  }
}
