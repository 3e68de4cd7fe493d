/// Which faults are injected, and where: one is armed at a time, the next as soon as it was injected.
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
    /// A full disk stays full for so many more calls that need free space.
    var lasting = 0
  }

  private var planned: [Planned]
  /// Calls that will still find the disk full, and the error they get.
  private var full: (calls: Int, fault: Fault) = (0, .noSpace)

  /// - Parameter planned: in the order of injection.
  init(_ planned: [Planned] = []) {
    self.planned = planned.reversed()
  }

  /// Whether the disk has free space now. Each check brings that moment nearer.
  mutating func hasFreeSpace() -> Bool {
    if full.calls > 0 { full.calls -= 1 }
    return full.calls == 0
  }

  var isSpent: Bool { planned.isEmpty }

  /// The fault of this call; nil if it succeeds.
  mutating func inject(_ stage: Stage) -> Fault? {
    if full.calls > 0, stage.operation != .sync, full.fault.canInject(stage.operation) {
      full.calls -= 1
      hasInjectedRecently = true
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

  /// The process now running has found the disk full.
  private(set) var hasInjectedRecently = false

  /// Space was freed; a new process starts.
  mutating func freeSpace() {
    full.calls = 0
    hasInjectedRecently = false
  }

  /// Nothing fails any more.
  mutating func end() {
    planned = []
    freeSpace()
  }
}
