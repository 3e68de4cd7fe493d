import ArgumentParser
import BoxEvents
import BoxSimulator
import EventDaemon

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run a simulated Box on loopback, for trials and tests.",
    discussion: """
      Serves tokens, events, realtime servers and faults until it is stopped. It behaves like the real \
      Box: overlapping pages, duplicates, short pages, positions beyond 2^53.

      Faults are given as FAULT=PERCENT, several with commas: 429=2,503=2,reset=1,truncate=1.
      """)

  @Option(help: "Listen on this port; 0 lets the system choose.") var port = 0

  @Option(help: "Events each user's stream holds at the start.") var backlog = 0

  @Option(help: .init("Pause between new events, in milliseconds; 0 for none.", valueName: "ms"))
  var every = 0

  @Option(help: "New events at a time.") var batch = 1

  @Option(
    name: .customLong("user"), parsing: .upToNextOption,
    help: .init("Users that exist; the first is the default one.", valueName: "id"))
  var users = ["123"]

  @Option(
    name: .customLong("type"), parsing: .upToNextOption,
    help: .init("Stream types with events.", valueName: "type"))
  var types = ["all"]

  @Option(help: "Reproduces events, page shapes and random faults.") var seed: UInt64 = 1

  @Option(help: .init("Random faults at every endpoint.", valueName: "faults")) var faults = ""

  @Option(help: .init("Every n-th event is unusual; 0 for none.", valueName: "n")) var oddEvery = 0

  @Option(help: .init("Lifetime of an access token in seconds.", valueName: "seconds"))
  var tokenLifetime = 3600

  @Flag(help: "Serve an exact feed, without overlap, duplicates or short pages.") var exact = false

  func validate() throws {
    guard 0...65_535 ~= port else { throw ValidationError("--port is 0 to 65535") }
    guard min(backlog, every, oddEvery) >= 0, min(batch, tokenLifetime) >= 1 else {
      throw ValidationError("--backlog, --every and --odd-every are 0 or more, the other numbers 1 or more")
    }
    if let type = types.first(where: { StreamType(rawValue: $0) == nil }) {
      let all = StreamType.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("unknown --type \"\(type)\"; the types are: \(all)")
    }
  }

  func run() async throws {
    let simulator = try await BoxSimulator.start(try options())
    StandardOutput.print(
      """
      api_url   = "\(simulator.apiURL)"
      token_url = "\(simulator.tokenURL)"
      control   = "\(simulator.controlURL)"
      """)
    try StandardOutput.check()
    try await simulator.runUntilCancelled()
  }

  private func options() throws -> SimulatorOptions {
    var options = SimulatorOptions()
    options.port = port
    options.seed = seed
    options.backlog = backlog
    options.feedTypes = types
    options.credentials.users = users
    options.credentials.tokenLifetime = .seconds(tokenLifetime)
    if exact { options.feed = .exact }
    options.feed.oddEvery = oddEvery
    if every > 0 {
      options.liveInterval = .milliseconds(every)
      options.liveBatch = batch
    }
    if !faults.isEmpty {
      let rates: FaultRates
      do throws(SimulatorError) {
        rates = try FaultRates(faults)
      } catch {
        throw DaemonFailure(.usage, error.message, hint: error.hint)
      }
      options.faultRates = Dictionary(uniqueKeysWithValues: SimulatedEndpoint.allCases.map { ($0, rates) })
    }
    return options
  }
}
