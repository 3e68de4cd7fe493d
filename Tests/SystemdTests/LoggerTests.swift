import Logging
import Synchronization
import Testing

@testable import Systemd

/// Log events on their way through swift-log to a handler.
struct LoggerTests {
  private struct RecordingHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace
    let events: Recorder<LogEvent>

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      events.record(event)
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String { "the disk is full" }
  }

  @Test func anIDTravelsWithTheMessage() throws {
    let events = Recorder<LogEvent>()
    let logger = Logger(label: "test") { _ in RecordingHandler(events: events) }
    logger.log(level: .notice, "Caught up", id: .caughtUp, metadata: ["position": "7", "stream": "a"])
    logger.log(level: .critical, "Not durable", id: .syncFailed, metadata: ["detail": "EIO"])
    let event = try #require(events.values.first)
    #expect(event.level == .notice)
    #expect(event.message == "Caught up")
    #expect(
      event.metadata == ["position": "7", "stream": "a", "message_id": "\(MessageID.caughtUp.rawValue)"])
    #expect(event.file == "SystemdTests/LoggerTests.swift")
    #expect(event.function == "anIDTravelsWithTheMessage()")
    #expect(events.values.last?.level == .critical)
  }

  @Test func everyLevelIsItsOwn() {
    let events = Recorder<LogEvent>()
    let logger = Logger(label: "test") { _ in RecordingHandler(events: events) }
    logger.log(level: .notice, "a", id: .started)
    logger.log(level: .warning, "a", id: .started)
    logger.log(level: .error, "a", id: .started)
    logger.log(level: .critical, "a", id: .started)
    #expect(events.values.map(\.level) == [.notice, .warning, .error, .critical])
  }

  @Test func theNearestMetadataWins() {
    let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
    let event = LogEvent(
      level: .info, message: "a", metadata: ["a": "event"], source: nil, file: "", function: "", line: 1)
    let handler: Logger.Metadata = ["b": "handler", "d": "handler"]
    #expect(
      SystemdLogHandler.merged(handler, provider, event)
        == ["a": "event", "b": "provider", "c": "provider", "d": "handler"])
  }

  @Test func anErrorIsTheDetailUnlessOneIsGiven() {
    let event = LogEvent(
      level: .error, message: "a", error: Failure(), metadata: nil, source: nil, file: "", function: "",
      line: 1)
    let none: Logger.Metadata = [:]
    let one: Logger.Metadata = ["detail": "x"]
    #expect(SystemdLogHandler.merged(none, nil, event) == ["detail": "the disk is full"])
    #expect(SystemdLogHandler.merged(one, nil, event) == ["detail": "x"])
  }

  @Test(arguments: LogDestination.allCases)
  func oneThresholdSetsTheLevelOfEveryLogger(_ destination: LogDestination) {
    let threshold = LogThreshold(.info)
    let first = destination.logger(threshold: threshold)
    var second = destination.logger(threshold: threshold)
    second.logLevel = .error
    #expect(first.logLevel == .info)
    threshold.level = .debug
    #expect(first.logLevel == .debug)
    #expect(second.logLevel == .error)
  }

  @Test func aLineHasTimeLevelAndText() {
    let event = LogEvent(
      level: .warning, message: "Box can't be reached", metadata: nil, source: nil, file: "", function: "",
      line: 1)
    let line = SystemdLogHandler.line(
      event, metadata: ["stream": "default", "status": "503"], time: 1_795_464_685)
    #expect(line == "2026-11-23T20:11:25Z warning default: Box can't be reached (status=503)\n")
  }

  @Test func handlersAreValues() {
    let threshold = LogThreshold(.info)
    for handler in LogDestination.allCases.map({ SystemdLogHandler(destination: $0, threshold: threshold) }) {
      var copy = handler
      copy[metadataKey: "stream"] = "default"
      #expect(copy.metadata == ["stream": "default"])
      #expect(handler.metadata.isEmpty)
    }
  }
}
