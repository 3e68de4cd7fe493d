import Logging
import Testing

@testable import Systemd

struct StandardErrorLogHandlerTests {
  @Test func aLineHasTimeLevelAndText() {
    let event = LogEvent(
      level: .warning, message: "Box can't be reached", metadata: nil, source: nil, file: "", function: "",
      line: 1)
    let line = StandardErrorLogHandler.line(
      event, metadata: ["stream": "default", "status": "503"], time: 1_795_464_685)
    #expect(line == "2026-11-23T20:11:25Z warning default: Box can't be reached (status=503)\n")
  }
}
