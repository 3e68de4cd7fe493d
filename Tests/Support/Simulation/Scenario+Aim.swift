import BoxEvents
import Spool

/// Bringing a seed to a stage that is seldom met by itself.
extension Scenario {
  /// Makes the stage likely, and gives the faults that lead to it.
  mutating func prepare(for stage: Stage, _ choices: inout Choices) -> [FaultPlan.Planned] {
    switch (stage.phase, stage.operation, stage.place) {
    case (.recovery, .create, .segments):
      return [strike(.killBefore, .begin, .create, .segments)]
    case (.recovery, .truncate, .segments), (.recovery, .write, .segments), (.recovery, .read, .segments):
      accident = .positionDeleted
      (limits.segmentSize, limits.minimumSegmentLife) = (300, .zero)
      return [strike(.killHalfway, .commit, .write, .segments, skipping: 1)]
    case (.recovery, .create, .position), (.recovery, .truncate, .position):
      accident = .positionDeleted
      return [strike(.killAfter, .commit, .sync, .position)]
    case (.recovery, .read, .gaps), (.recovery, .truncate, .gaps):
      accident = .allCases[choices.pick(2)]
      let fault: Fault = stage.operation == .read ? .killAfter : .killHalfway
      return [strike(.killAfter, .commit, .sync, .position), strike(fault, .recovery, .write, .gaps)]
    case (.recovery, _, .gaps):
      accident = .allCases[choices.pick(2)]
      return [strike(.killAfter, .commit, .sync, .position)]
    case (.recovery, _, .aside), (.recovery, .truncate, .events):
      return [strike(.cutAfter, .commit, .write, .events, skipping: choices.pick(3))]
    case (.recovery, .write, .events), (.recovery, .read, .events), (.recovery, .sync, .events),
      (.recovery, .sync, .segments):
      return [strike(.killAfter, .commit, .write, .events, skipping: choices.pick(3))]
    case (.recovery, _, .current):
      return [strike(.killBefore, .commit, .link, .current)]
    case (.begin, .open, .position), (.begin, .read, .position):
      return []
    case (.sift, .write, .quarantine), (.sift, .sync, _), (.sift, .read, .quarantine):
      return [strike(.killAfter, .commit, .write, .quarantine)]
    case (.sift, .truncate, .quarantine):
      return [strike(.killHalfway, .commit, .write, .quarantine)]
    case (.sift, _, .knownIDs), (.commit, _, .knownIDs):
      (limits.segmentSize, limits.minimumSegmentLife) = (300, .zero)
      return stage.phase == .sift ? [strike(.killAfter, .commit, .sync, .position, skipping: 2)] : []
    case (.commit, _, .aside), (.commit, .truncate, .events), (.commit, .read, .events):
      // Torn, and what comes next begins otherwise.
      (pageSize, disorderPercent) = (8, 100)
      return [strike(.killHalfway, .commit, .write, .events, skipping: choices.pick(2))]
    case (.commit, .remove, .events), (.commit, .open, .events), (.commit, .list, _):
      (limits.segmentSize, limits.maxSize, limits.minimumSegmentLife) = (300, 1000, .zero)
      return []
    case (.commit, .truncate, .segments):
      return [strike(.killHalfway, .commit, .write, .segments)]
    case (.gap, let operation, _):
      // Seen dry and saved, then away for long.
      (start, longAbsenceAfter, backlog) = (.now, 1, items / 2)
      let away = [strike(.killAfter, .commit, .sync, .position)]
      return switch operation {
      case .truncate: away + [strike(.killHalfway, .gap, .write, .gaps)]
      case .read: away + [strike(.killAfter, .gap, .write, .gaps)]
      default: away
      }
    default:
      return []
    }
  }

  private func strike(
    _ fault: Fault, _ phase: Stage.Phase, _ operation: Stage.Operation, _ place: Stage.Place,
    skipping: Int = 0
  ) -> FaultPlan.Planned {
    .init(
      fault: fault,
      aim: .stage(Stage(phase: phase, operation: operation, place: place), skipping: skipping))
  }
}
