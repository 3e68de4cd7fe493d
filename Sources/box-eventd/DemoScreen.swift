import EventDaemon
import Glibc

/// The demo's screen; where the output is not a terminal, a line every five seconds.
struct DemoScreen {
  let environment: DemoEnvironment
  private(set) var kills = 0
  private var notes: [String] = []
  private var lastLine = ContinuousClock.now - .seconds(60)
  private let isTerminal = isatty(STDOUT_FILENO) == 1

  init(environment: DemoEnvironment) { self.environment = environment }

  mutating func note(_ text: String) {
    if text.hasPrefix("killed") { kills += 1 }
    notes.append(text)
    if !isTerminal { StandardOutput.print("  ** \(text)") }
  }

  mutating func show(produced: Int, elapsed: Duration) {
    let report = try? StatusClient(socket: environment.socket, timeout: .milliseconds(300)).report()
    let line = "\(elapsed.components.seconds) s: produced \(produced), spooled \(environment.spooledCount)"
    guard isTerminal else {
      guard ContinuousClock.now - lastLine >= .seconds(5) else { return }
      lastLine = ContinuousClock.now
      StandardOutput.print(line)
      return
    }
    var rows = ["\u{1B}[H\u{1B}[2J\u{1B}[1mbox-eventd demo\u{1B}[0m   \(line)   (Ctrl-C ends it)"]
    rows += ["", "The last events in the spool:"]
    rows += environment.lastLines(6).map { "  " + ($0.withUnsafeBytes { EventText($0)?.pretty } ?? "") }
    rows += ["", "The daemon's own report (box-eventd status):"]
    rows +=
      report.map { StatusText.text($0, now: Double(time(nil))) }?.split(separator: "\n").map { "  \($0)" }
      ?? ["  (starting)"]
    rows += ["", "What happened:"] + notes.suffix(4).map { "  \($0)" }
    rows += [
      "", "To look at it:", "  box-eventd tail -f --config \(environment.configuration)",
      "  tail -F \(environment.spool)/current",
      "  ls -l \(environment.spool)", "  cat \(environment.root)/state/demo/stream_position",
      "  less \(environment.log)",
    ]
    StandardOutput.print(rows.joined(separator: "\n"))
  }

  func end(_ tally: DemoTally) {
    StandardOutput.print(
      """

      produced \(tally.produced), spooled \(tally.spooled), missing \(tally.missing), twice \(tally.twice), \
      with \(kills) kills
      spool:    \(environment.spool)
      position: \(environment.root)/state/demo/stream_position
      log:      \(environment.log)
      """)
  }
}
