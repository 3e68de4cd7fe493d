import ArgumentParser
import EventDaemon

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Show the whole thing on this machine, against the built-in simulator.",
    discussion: """
      Starts a simulated Box and a real daemon in a directory of their own under /tmp, makes things happen \
      in the pretend account, and shows the events arriving. Twice it kills the daemon with SIGKILL and \
      starts it again. It ends by itself, or with Ctrl-C, with a count. Nothing outside that directory \
      is touched.
      """)

  @Option(help: "How long it lasts.")
  var seconds = 60

  @Option(help: "New events a second.")
  var rate = 20

  func validate() throws {
    guard (5...86_400).contains(seconds), (1...10_000).contains(rate) else {
      throw ValidationError("--seconds is 5 to 86400, --rate 1 to 10000")
    }
  }

  func run() async throws {
    try await reportingFailure {
      let isIntact = try await Demo(duration: .seconds(seconds), rate: rate).run()
      if !isIntact {
        throw CommandFailure(
          .software, "the spool is not what was produced",
          hint: "please report it, with what is printed above")
      }
    }
  }
}
