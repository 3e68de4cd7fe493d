import ArgumentParser
import EventDaemon
import FoundationEssentials
import Spool

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove the spool whole.",
    discussion: """
      Reads every line of a stream's segments: each is a valid event, no ordinal is missing, no id stands \
      there twice, and the position file agrees. The daemon may be running.

      Exit status: 0 whole, 1 not; the first place that is wrong is printed.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Argument(help: "The stream; all of them if none is named.")
  var stream: String?

  func run() async throws {
    try await reportingFailure {
      let loaded = try Configuration.load(
        configuration.path, environment: ProcessInfo.processInfo.environment)
      let tools = StreamTools(loaded)
      let streams = try stream.map { [try tools.stream(named: $0)] } ?? loaded.streams
      var isIntact = true
      for stream in streams {
        isIntact = show(try tools.verify(stream), of: stream.name) && isIntact
      }
      if !isIntact { throw ExitCode(1) }
    }
  }

  private func show(_ report: SpoolVerifier.Report, of stream: String) -> Bool {
    for note in report.notes { StandardOutput.print("\(stream): note: \(note)") }
    if let problem = report.problem {
      StandardOutput.print(
        "\(stream): NOT WHOLE: \(problem.file), line \(problem.line), byte \(problem.offset): \(problem.message)"
      )
      return false
    }
    StandardOutput.print(
      "\(stream): whole: \(report.events) events in \(report.segments) segments, \(report.bytes) bytes")
    return true
  }
}
