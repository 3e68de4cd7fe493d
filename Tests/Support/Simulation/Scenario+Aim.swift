import BoxEvents
import Spool
import TestDisks

/// Bringing a seed to a stage that is seldom reached by itself.
extension Scenario {
  /// Makes the stage likely, and gives the faults that lead to it.
  mutating func prepare(for stage: Stage, _ choices: inout Choices) -> [FaultPlan.Planned] {
    switch (stage.phase, stage.operation, stage.place) {
    case (.recovery, .create, .segments):
      return [inject(.killBefore, .begin, .create, .segments)]
    case (.recovery, .truncate, .segments), (.recovery, .write, .segments), (.recovery, .read, .segments):
      accident = .positionDeleted
      (limits.segmentSize, limits.minimumSegmentLife) = (300, .zero)
      return [inject(.killHalfway, .commit, .write, .segments, skipping: 1)]
    case (.recovery, .create, .position), (.recovery, .truncate, .position):
      accident = .positionDeleted
      return [inject(.killAfter, .commit, .sync, .position)]
    case (.recovery, .read, .gaps), (.recovery, .truncate, .gaps):
      accident = .allCases[choices.pick(2)]
      let fault: Fault = stage.operation == .read ? .killAfter : .killHalfway
      return [inject(.killAfter, .commit, .sync, .position), inject(fault, .recovery, .write, .gaps)]
    case (.recovery, _, .gaps):
      accident = .allCases[choices.pick(2)]
      return [inject(.killAfter, .commit, .sync, .position)]
    case (.recovery, _, .aside), (.recovery, .truncate, .events):
      return [inject(.cutAfter, .commit, .write, .events, skipping: choices.pick(3))]
    case (.recovery, _, .mark):
      return [inject(.cutAfter, .commit, .write, .events, skipping: 1 + choices.pick(2))]
    case (.recovery, .write, .events), (.recovery, .read, .events), (.recovery, .sync, .events),
      (.recovery, .sync, .segments):
      return [inject(.killAfter, .commit, .write, .events, skipping: choices.pick(3))]
    case (.recovery, _, .current):
      return [inject(.killBefore, .commit, .link, .current)]
    case (.begin, .open, .position), (.begin, .read, .position):
      return []
    case (.deduplicate, .write, .quarantine), (.deduplicate, .sync, _), (.deduplicate, .read, .quarantine):
      return [inject(.killAfter, .commit, .write, .quarantine)]
    case (.deduplicate, .truncate, .quarantine):
      return [inject(.killHalfway, .commit, .write, .quarantine)]
    case (.deduplicate, _, .knownIDs), (.commit, _, .knownIDs):
      (limits.segmentSize, limits.minimumSegmentLife) = (300, .zero)
      return stage.phase == .deduplicate ? [inject(.killAfter, .commit, .sync, .position, skipping: 2)] : []
    case (.commit, _, .aside), (.commit, .truncate, .events), (.commit, .read, .events):
      // Partial, and what comes next begins otherwise.
      (pageSize, disorderPercent) = (8, 100)
      return [inject(.killHalfway, .commit, .write, .events, skipping: choices.pick(2))]
    case (.commit, .remove, .events), (.commit, .list, _):
      (limits.segmentSize, limits.maxSize, limits.minimumSegmentLife) = (300, 1000, .zero)
      return []
    case (.commit, .truncate, .segments):
      return [inject(.killHalfway, .commit, .write, .segments)]
    case (.gap, let operation, _):
      // Seen caught up and saved, then away for long.
      (start, longAbsenceAfter, backlog) = (.now, 1, items / 2)
      let away = [inject(.killAfter, .commit, .sync, .position)]
      return switch operation {
      case .truncate: away + [inject(.killHalfway, .gap, .write, .gaps)]
      case .read: away + [inject(.killAfter, .gap, .write, .gaps)]
      default: away
      }
    default:
      return []
    }
  }

  private func inject(
    _ fault: Fault, _ phase: Stage.Phase, _ operation: Stage.Operation, _ place: Stage.Place,
    skipping: Int = 0
  ) -> FaultPlan.Planned {
    .init(
      fault: fault,
      aim: .stage(Stage(phase: phase, operation: operation, place: place), skipping: skipping))
  }
}
