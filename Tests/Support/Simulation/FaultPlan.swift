/// Which faults inject, and where: one is armed at a time, the next as soon as it has struck.
struct FaultPlan: Sendable {
  enum Aim: Sendable {
    /// At the first call it can inject after so many others.
    case after(Int)
    /// At one stage, after passing over so many calls there.
    case stage(Stage, skipping: Int)
  }

  struct Planned: Sendable {
    var fault: Fault
    var aim: Aim
    /// A full disk stays full for so many more calls that need room.
    var lasting = 0
  }

  private var planned: [Planned]
  /// Calls that will still find the disk full, and what they are told.
  private var full: (calls: Int, fault: Fault) = (0, .noSpace)

  /// - Parameter planned: in the order in which they inject.
  init(_ planned: [Planned] = []) {
    self.planned = planned.reversed()
  }

  /// Whether there is room now. Each look brings the moment nearer when there is.
  mutating func hasFreeSpace() -> Bool {
    if full.calls > 0 { full.calls -= 1 }
    return full.calls == 0
  }

  var isSpent: Bool { planned.isEmpty }

  /// The fault that injections this call, if one does.
  mutating func inject(_ stage: Stage) -> Fault? {
    if full.calls > 0, stage.operation != .sync, full.fault.canInject(stage.operation) {
      full.calls -= 1
      hasStruckRecently = true
      return full.fault
    }
    guard let armed = planned.last, armed.fault.canInject(stage.operation) else {
      if case .after(let calls)? = planned.last?.aim, calls > 0 {
        planned[planned.count - 1].aim = .after(calls - 1)
      }
      return nil
    }
    switch armed.aim {
    case .after(let calls) where calls > 0:
      planned[planned.count - 1].aim = .after(calls - 1)
      return nil
    case .stage(let aim, _) where aim != stage:
      return nil
    case .stage(let aim, let skipping) where skipping > 0:
      planned[planned.count - 1].aim = .stage(aim, skipping: skipping - 1)
      return nil
    case .after, .stage:
      planned.removeLast()
      if stage.operation != .sync { full = (armed.lasting, armed.fault) }
      return armed.fault
    }
  }

  /// The process now running has been told that the disk is full.
  private(set) var hasStruckRecently = false

  /// Someone has made room; a new process starts.
  mutating func freeSpace() {
    full.calls = 0
    hasStruckRecently = false
  }

  /// Nothing fails any more.
  mutating func end() {
    planned = []
    freeSpace()
  }
}
