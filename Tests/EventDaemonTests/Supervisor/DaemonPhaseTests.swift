import Testing

@testable import EventDaemon

@Suite struct DaemonPhaseTests {
  @Test func advancesOnceAndNeverBack() {
    let phase = DaemonPhase()
    #expect(phase.value == .starting)
    #expect(phase.advance(to: .running))
    #expect(!phase.advance(to: .running))
    #expect(phase.value == .running)
    #expect(phase.advance(to: .stopping))
    #expect(!phase.advance(to: .running))
    #expect(!phase.advance(to: .stopping))
    #expect(phase.value == .stopping)
  }

  @Test func neverReadyOnceAskedToStop() {
    let phase = DaemonPhase()
    #expect(phase.advance(to: .stopping))
    #expect(!phase.advance(to: .running))
    #expect(phase.value == .stopping)
  }
}
