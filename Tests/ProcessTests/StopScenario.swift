import BoxSimulator
import Glibc
import StoppingDisk
import Testing

/// What a stream is doing when the process stops, and what must hold in the end.
enum StopScenario: String, CaseIterable {
  /// The very first start, with a backlog.
  case firstStart
  /// The first event begins a new segment; an earlier attempt has left a partial line and a passing link.
  case rotation
  /// Pages with entries that are not events.
  case quarantine
  /// The machine went down with events written and not synced: they are moved aside.
  case powerCut
  /// A consumer has taken every segment away, the newest included.
  case emptied
  /// The position file is missing.
  case positionLost
  /// Old segments are over the limit.
  case pruning
  /// A refresh token is spent at every start.
  case signIn

  static let batch = 12
  static let odd = 2

  /// The boot id from the preparation on, and whether a lost login ends the daemon.
  var environment: [String: String] {
    switch self {
    case .powerCut: ["BOOT_ID": String(repeating: "b", count: 32)]
    case .signIn: ["END_WHEN_BLOCKED": "1"]
    default: [:]
    }
  }

  /// The operations at which the process is stopped, with the number of calls that one start makes. Those
  /// that every start makes are in one scenario only, those of recovery and commit wherever they differ.
  var operations: [(StopPoint.Operation, StopPoint.Target, calls: Int)] {
    switch self {
    case .firstStart:
      [
        (.create, .lock, 2), (.write, .lock, 2), (.truncate, .lock, 2), (.make, .streamSpool, 1),
        (.make, .streamState, 1), (.synchronize, .spool, 2), (.synchronize, .state, 2),
        (.synchronize, .streamSpool, 3), (.synchronize, .streamState, 2), (.create, .position, 1),
        (.write, .position, 5), (.truncate, .position, 1), (.synchronize, .position, 3),
        (.create, .segments, 1), (.write, .segments, 2), (.synchronize, .segments, 3),
        (.create, .events, 1), (.link, .current, 1), (.rename, .current, 1), (.write, .events, 1),
        (.synchronize, .events, 1),
      ]
    case .rotation:
      [
        (.synchronize, .streamSpool, 3), (.synchronize, .streamState, 3), (.create, .knownIDs, 1),
        (.truncate, .knownIDs, 1), (.write, .knownIDs, 1), (.synchronize, .knownIDs, 1),
        (.rename, .knownIDs, 1), (.write, .segments, 2), (.truncate, .segments, 1),
        (.synchronize, .segments, 2), (.create, .events, 1), (.remove, .current, 1), (.link, .current, 1),
        (.rename, .current, 1), (.write, .events, 1), (.synchronize, .events, 2), (.write, .position, 2),
        (.synchronize, .position, 2),
      ]
    case .quarantine:
      [
        (.create, .quarantine, 1), (.write, .quarantine, 2), (.synchronize, .quarantine, 3),
        (.write, .position, 2), (.synchronize, .position, 2),
      ]
    case .powerCut:
      [
        (.create, .aside, 1), (.write, .aside, 1), (.truncate, .aside, 1), (.synchronize, .aside, 1),
        (.remove, .aside, 1), (.synchronize, .streamState, 4), (.truncate, .events, 1),
        (.synchronize, .events, 2), (.write, .position, 3), (.synchronize, .position, 3),
      ]
    case .emptied:
      [
        (.create, .gaps, 1), (.write, .gaps, 1), (.synchronize, .gaps, 2), (.create, .events, 1),
        (.write, .position, 3), (.synchronize, .position, 3),
      ]
    case .positionLost:
      [
        (.create, .position, 1), (.write, .position, 5), (.truncate, .position, 1),
        (.synchronize, .position, 3), (.create, .gaps, 1), (.write, .gaps, 1), (.synchronize, .gaps, 2),
        (.write, .events, 2), (.synchronize, .events, 2),
      ]
    case .pruning: [(.remove, .events, 3), (.write, .position, 2)]
    case .signIn: [(.write, .refreshToken, 4), (.synchronize, .refreshToken, 4)]
    }
  }

  // MARK: Before

  /// Brings a fixture to the state in which the process is to stop.
  func prepare(_ fixture: TestEnvironment) async throws {
    fixture.settings.spool.append(#"segment_size = "1KiB""#)
    if self == .signIn {
      fixture.settings.auth[0] = #"method = "oauth2""#
      fixture.settings.auth.remove(at: 2)
    }
    fixture.configure()
    if self == .signIn { try await login(fixture, code: "simulator-code") }
    guard self != .firstStart else { return }
    for _ in 1...(self == .pruning ? 3 : 1) {
      fixture.ageSegments()
      try await live(fixture)
    }
    try await damage(fixture)
  }

  /// One run of the daemon, without faults.
  private func live(_ fixture: TestEnvironment) async throws {
    fixture.simulator.produce(Self.batch)
    let daemon = try fixture.start()
    try await fixture.drained()
    try await fixture.simulator.wait { $0.heldPolls == 1 }
    try #require(try await daemon.terminated() == .code(0), "\(fixture.lastLines(3))")
  }

  private func damage(_ fixture: TestEnvironment) async throws {
    let (spool, state) = ("\(fixture.root)/spool/default", "\(fixture.root)/state/default")
    switch self {
    case .firstStart, .quarantine, .signIn: break
    case .rotation:
      let log = "\(spool)/segments.ndjson"
      writeFile(log, readFile(log) + Array(#"{"ordinal":"#.utf8), mode: 0o640)
      symlink("nowhere", "\(spool)/.current")
    case .powerCut:
      fixture.simulator.produce(Self.batch)
      // The first call is recovery's.
      let stop = ["STOP_AT": "sync-events:before", "STOP_AT_CALL": "2"]
      let daemon = try fixture.start(Executable.stopping, environment: stop)
      try #require(try await daemon.ended() == .signal(SIGKILL))
      for number in 1...65 { writeFile("\(state)/aside-0000000000000000-0-\(number)", [10]) }
    case .emptied:
      for name in directoryNames(spool) where name.hasPrefix("events-") { unlink("\(spool)/\(name)") }
    case .positionLost:
      unlink("\(state)/stream_position")
    case .pruning:
      fixture.settings.spool.append(#"max_size = "1KiB""#)
      fixture.configure()
    }
  }

  /// New events for each start that is to stop.
  func stir(_ fixture: TestEnvironment) {
    fixture.ageSegments()
    guard self == .quarantine else { return fixture.simulator.produce(Self.batch) }
    let position = fixture.simulator.newestPosition()
    fixture.simulator.setFaultRates(
      .events,
      FaultRates([
        .init(.body(#"{"next_stream_position":\#(position),"entries":[5,"no event"]}"#), percent: 100)
      ]))
  }

  // MARK: Afterwards

  /// Expects every event once, in order, and each gap and quarantined entry recorded once.
  func expectIntact(_ fixture: TestEnvironment, _ comment: Comment) {
    switch self {
    case .pruning:
      let first = expectEnd(fixture, comment)
      #expect((1..<first.served).contains(first.spooled), comment)
    case .emptied:
      // Events that the consumer took and Box serves again count as new.
      let first = expectEnd(fixture, comment)
      #expect((first.served - Self.batch...first.served).contains(first.spooled), comment)
    case .firstStart, .rotation, .quarantine, .powerCut, .positionLost, .signIn:
      fixture.expectIntact("default", comment)
    }
    let gaps = self == .emptied || self == .positionLost ? 1 : 0
    #expect(fixture.lineCount(of: "gaps.ndjson") == gaps, comment)
    #expect(fixture.lineCount(of: "quarantine.ndjson") == (self == .quarantine ? Self.odd : 0), comment)
  }

  /// Expects the spool to be the end of what was served; gives the number of lines of both.
  private func expectEnd(_ fixture: TestEnvironment, _ comment: Comment) -> (spooled: Int, served: Int) {
    let (spooled, served) = (fixture.spool(), fixture.ledger())
    let isEnd = spooled.isSame(as: Array(served.suffix(spooled.count)))
    #expect(isEnd, comment)
    return (spooled.lines.count, served.lines.count)
  }

  /// Logs in with a code that the simulator knows.
  func login(_ fixture: TestEnvironment, code: String) async throws {
    let (login, name) = try fixture.begin(["login", "--config", fixture.configuration], hasInput: true)
    try await eventually("the address to open") { readFile(name + ".out").contains("press Enter") }
    login.type(code)
    let outcome = try await fixture.outcome(of: login, name)
    try #require(outcome.exit == .code(0), "\(outcome.errors)")
  }
}
