import BoxEvents
import Spool
import TestDisks

/// What one seed makes of the world.
struct Scenario: Sendable {
  /// What happens to a stopped daemon's files.
  enum Accident: Sendable, CaseIterable {
    case positionDeleted, positionGarbled, spoolEmptied
  }

  var seed: UInt64
  /// Events and unusual entries in all, and how many are there before the first run.
  var items = 40
  var backlog = 10
  /// Known items that Box serves again before the new ones.
  var overlap = 3
  /// New items on a page, at most.
  var pageSize = 8
  /// Box serves exactly `overlap` known events each time, and as many are known by their ids.
  var isWindowExact = false
  /// How many pages of a hundred are out of order.
  var disorderPercent = 25
  /// Items that appear before others that have been served.
  var lateItems = 0
  /// Empty pages lead on, as at a server whose positions pass with the time.
  var isDrifting = false
  /// Answers that are wrong, refused or missing.
  var problems = 0
  var type = StreamType.all
  var start = ReadPosition.oldest
  var sectorSize = 512
  var limits = SpoolLimits()
  /// What ends a run from outside, and at which of its calls to Box.
  var endings: [(call: Int, fault: Fault?)] = []
  var accident: Accident?
  /// After this run nothing runs for longer than Box keeps events.
  var longAbsenceAfter: Int?
  /// Segments that a power cut leaves unproven may come back with older bytes.
  var staleness = false
  var planned: [FaultPlan.Planned] = []
  /// Between lookbacks; then Box shows some items before positions that have been read.
  var lookbackInterval: Duration?

  /// Runs and calls above these mean that nothing moves any more.
  static let maximumRuns = 60
  static let maximumBoxCalls = 2500
  static let maximumDiskCalls = 60_000

  init(seed: UInt64) {
    self.seed = seed
    var choices = Choices(seed: seed)
    items = choices.number(12, 40)
    backlog = choices.chance(15) ? 0 : choices.number(0, items / 2)
    overlap = choices.chance(25) ? 0 : choices.number(1, 5)
    pageSize = choices.number(1, 9)
    lateItems = choices.chance(30) ? choices.number(1, 4) : 0
    problems = choices.chance(70) ? choices.number(1, 14) : 0
    type = [.all, .all, .changes, .sync, .adminLogsStreaming, .adminLogs][choices.pick(6)]
    start = choices.chance(35) ? .now : .oldest
    sectorSize = [64, 512, 4096][choices.pick(3)]
    limits.keepFree = 1 << 20
    limits.segmentSize = [300, 900, 1 << 20][choices.pick(3)]
    limits.minimumSegmentLife = choices.chance(70) ? .zero : .seconds(10)
    limits.segmentAge = choices.chance(20) ? .seconds(60) : .seconds(86_400)
    if choices.chance(10) { limits.maxSize = 4000 }
    (limits.knownEvents, limits.knownPeriod) = (200, .zero)
    isWindowExact = choices.chance(6)
    if isWindowExact { makeWindowExact(&choices) } else { makeProblem(&choices) }
    if !isWindowExact, choices.chance(15) { lookbackInterval = .seconds(choices.number(10, 300)) }
    isDrifting = !isWindowExact && choices.chance(6)
  }

  private mutating func makeProblem(_ choices: inout Choices) {
    for _ in 0..<choices.number(0, 3) {
      let fault: Fault? = [.killBefore, .cutBefore, nil][choices.pick(3)]
      endings.append((choices.number(1, 25), fault))
    }
    if choices.chance(8) { accident = Accident.allCases[choices.pick(3)] }
    if choices.chance(6) { longAbsenceAfter = choices.number(1, 3) }
    planFaults(&choices)
    if accident == nil { staleness = choices.chance(30) } else { limits.maxSize = 0 }
  }

  /// With no tail to be known besides, the window need not be larger than the overlap; an id less, and
  /// an event comes twice.
  private mutating func makeWindowExact(_ choices: inout Choices) {
    overlap = choices.number(0, 6)
    limits.knownEvents = max(1, overlap)
    (lateItems, problems, start) = (0, 0, .oldest)
    for _ in 0..<choices.number(1, 3) { endings.append((choices.number(3, 12), nil)) }
  }

  /// Some faults anywhere, and one where the coverage needs it.
  private mutating func planFaults(_ choices: inout Choices) {
    var anywhere: [FaultPlan.Planned] = []
    for _ in 0..<choices.number(1, 6) {
      let fault = Fault.allCases[choices.pick(Fault.allCases.count)]
      let lasting = choices.chance(30) ? choices.number(1, 12) : 0
      anywhere.append(.init(fault: fault, aim: .after(choices.number(0, 90)), lasting: lasting))
    }
    let (stage, fault) = Coverage.required[Int(seed % UInt64(Coverage.required.count))]
    let aimed = FaultPlan.Planned(
      fault: fault, aim: .stage(stage, skipping: choices.chance(70) ? 0 : choices.pick(4)))
    let prelude = prepare(for: stage, &choices)
    // What leads to the stage comes first and undisturbed; else the aim waits its turn.
    let before = prelude.isEmpty && choices.chance(50) ? choices.pick(anywhere.count + 1) : 0
    if !prelude.isEmpty { endings = [] }
    planned = anywhere[..<before] + prelude + [aimed] + anywhere[before...]
  }

  /// One without any fault, for the exhaustive simulation.
  static var plain: Scenario {
    var plain = Scenario(seed: 0)
    (plain.items, plain.backlog, plain.overlap, plain.pageSize) = (22, 10, 2, 3)
    (plain.lateItems, plain.problems, plain.isWindowExact) = (0, 0, false)
    (plain.type, plain.start, plain.sectorSize) = (.all, .oldest, 4096)
    plain.limits = SpoolLimits()
    (plain.limits.keepFree, plain.limits.segmentSize) = (1 << 20, 400)
    (plain.limits.minimumSegmentLife, plain.limits.knownEvents) = (.zero, 200)
    (plain.endings, plain.accident, plain.longAbsenceAfter) = ([], nil, nil)
    (plain.staleness, plain.planned, plain.lookbackInterval) = (false, [], nil)
    plain.isDrifting = false
    return plain
  }
}
