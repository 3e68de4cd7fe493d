import ArgumentParser
import BoxEvents
import EventDaemon

/// Why a command ends without success: two lines on stderr, and a status of sysexits.h.
struct CommandFailure: ExplainedError {
  var exit: ExitStatus
  /// What is wrong.
  var message: String
  /// What to do.
  var hint: String?

  init(_ exit: ExitStatus, _ message: String, hint: String?) {
    self.exit = exit
    self.message = message
    self.hint = hint
  }

  /// Says it and ends the command.
  func end() -> ExitCode {
    StandardOutput.error("box-eventd: \(message)")
    if let hint { StandardOutput.error("  \(hint)") }
    return ExitCode(exit.rawValue)
  }
}

extension CommandFailure {
  /// All problems, two lines each.
  init(_ error: ConfigurationError) {
    let text = error.description.split(separator: "\n  ", maxSplits: 1).map(String.init)
    self.init(
      .configuration, text.first ?? "the configuration is wrong",
      hint: text.dropFirst().first ?? "see: box-eventd check")
  }

  init(_ error: DaemonFailure) {
    self.init(error.exit, error.message, hint: error.hint)
  }
}

/// Runs a command's work and turns its failure into two lines and a status.
func reportingFailure<Value>(_ work: () async throws -> Value) async throws -> Value {
  do {
    return try await work()
  } catch let failure as CommandFailure {
    throw failure.end()
  } catch let failure as DaemonFailure {
    throw CommandFailure(failure).end()
  } catch let failure as ConfigurationError {
    throw CommandFailure(failure).end()
  } catch let exit as ExitCode {
    throw exit
  } catch {
    throw CommandFailure(.software, "\(error)", hint: "nobody has foreseen this; please report this line")
      .end()
  }
}
