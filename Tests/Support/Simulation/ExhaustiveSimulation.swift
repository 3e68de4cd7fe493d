import BoxEvents
import Spool
import TestDisks

/// One fixed run without chance: the machine or the process ends at every one of its disk operations, and
/// the run goes on from every state that the medium can then be in.
///
/// The bounds: sectors of 4096 bytes, each old, new, or partial after its first byte, in its middle or before its
/// last byte, either way round; each file's size old, new or one of three in between; each change of a
/// directory kept or lost; all combinations of these, but of one operation at most
/// ``maximumSubsets``. A second crash on top of the first is the random simulation's business.
package struct ExhaustiveSimulation: Sendable {
  package static let maximumSubsets = 2000

  /// What was tried.
  package struct Report: Sendable {
    /// Calls of the run at which a fault can be injected: the operations.
    package var operations = 0
    /// Crashes gone on from, one for each state of the medium.
    package var crashes = 0
    /// The most states that one operation has left.
    package var mostSubsets = 0
    /// Operations that leave more states than were tried.
    package var truncated = 0
    package var failures: [String] = []
  }

  private let thread: DiskThread

  package init() throws {
    thread = try DiskThread(openStreams: .max)
  }

  /// Injects faults at every `stride`-th operation, beginning with the first.
  package func run(stride step: Int = 1) async -> Report {
    let undisturbed = Simulation(.plain, thread: thread)
    let outcome = await undisturbed.run()
    var report = Report(failures: outcome.failures)
    report.operations = undisturbed.disk.injectable.count
    for operation in Swift.stride(from: 0, to: report.operations, by: step) {
      for fault in Fault.allCases where fault.canInject(undisturbed.disk.injectable[operation].operation) {
        await inject(operation, fault, &report)
      }
    }
    return report
  }

  private func inject(_ operation: Int, _ fault: Fault, _ report: inout Report) async {
    var choices = Choices.exhaustive
    var subsets = 0
    let end = await untilFault(operation, fault)
    repeat {
      subsets += 1
      let simulation = Simulation(end.scenario, thread: thread)
      await simulation.goOn(from: end, &choices)
      let outcome = await simulation.run()
      for failure in outcome.failures {
        report.failures.append("\(fault) at operation \(operation), state \(subsets): \(failure)")
      }
      if report.failures.count > 20 { return }
    } while fault.isPowerCut && choices.advance() && subsets < Self.maximumSubsets
    report.crashes += subsets
    report.mostSubsets = max(report.mostSubsets, subsets)
    if subsets == Self.maximumSubsets { report.truncated += 1 }
  }

  /// The run up to where the fault ends the first process, or to its own end.
  private func untilFault(_ operation: Int, _ fault: Fault) async -> Simulation {
    var scenario = Scenario.plain
    scenario.planned = [.init(fault: fault, aim: .after(operation))]
    let simulation = Simulation(scenario, thread: thread)
    await simulation.runProcess(ending: nil)
    return simulation
  }
}
