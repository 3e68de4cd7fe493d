import ArgumentParser
import EventDaemon
import Spool

struct VerifyCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that the spool is intact.",
    discussion: """
      Reads every line of a stream's segments: each is a valid event, no ordinal is missing, no id occurs \
      twice, and the position file agrees. The daemon may be running.

      Exit status: 0 intact, 1 corrupt; the first problem is printed.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Argument(help: "The stream; without it, all of them.") var stream: String?

  func run() async throws {
    let tools = configuration.readingTools()
    let streams = try stream.map { [try tools.stream(named: $0)] } ?? tools.streams()
    var isIntact = true
    for stream in streams { isIntact = show(try tools.verify(stream), of: stream.name) && isIntact }
    try StandardOutput.check()
    if !isIntact { throw ExitCode(1) }
  }

  private func show(_ report: SpoolVerifier.Report, of stream: String) -> Bool {
    for note in report.notes { StandardOutput.print("\(stream): note: \(note)") }
    if let problem = report.problem {
      StandardOutput.print("\(stream): CORRUPT: \(problem)")
      StandardOutput.print(
        "  A disk or another program changed the file. See: journalctl -k -p warning. The daemon goes on after it."
      )
      return false
    }
    StandardOutput.print(
      "\(stream): intact: \(report.events) \(report.events == 1 ? "event" : "events") in \(report.segments) "
        + "\(report.segments == 1 ? "segment" : "segments"), \(report.bytes) bytes")
    return true
  }
}
