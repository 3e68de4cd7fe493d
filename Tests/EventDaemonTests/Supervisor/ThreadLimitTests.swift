import Glibc
import Testing

@testable import EventDaemon

@Suite struct ThreadLimitTests {
  @Test func startsThreadsAndEndsThem() {
    let (started, errno) = ThreadLimit.start(ThreadLimit.need)
    #expect(started == ThreadLimit.need)
    #expect(errno == 0)
  }
}
