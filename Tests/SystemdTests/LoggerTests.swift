import Logging
import Synchronization
import Testing

@testable import Systemd

/// What reaches a handler through swift-log's front door.
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
    logger.notice("Caught up", id: .caughtUp, metadata: ["position": "7"])
    logger.critical("Not durable", id: .syncFailed)
    let event = try #require(events.values.first)
    #expect(event.level == .notice)
    #expect(event.message == "Caught up")
    #expect(event.metadata == ["position": "7", "message_id": "\(MessageID.caughtUp.rawValue)"])
    #expect(event.file == "SystemdTests/LoggerTests.swift")
    #expect(event.function == "anIDTravelsWithTheMessage()")
    #expect(events.values.last?.level == .critical)
  }

  @Test func everyLevelIsItsOwn() {
    let events = Recorder<LogEvent>()
    let logger = Logger(label: "test") { _ in RecordingHandler(events: events) }
    logger.info("a", id: .started)
    logger.notice("a", id: .started)
    logger.warning("a", id: .started)
    logger.error("a", id: .started)
    logger.critical("a", id: .started)
    #expect(events.values.map(\.level) == [.info, .notice, .warning, .error, .critical])
  }

  @Test func theNearestMetadataWins() {
    let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
    let event = LogEvent(
      level: .info, message: "a", metadata: ["a": "event"], source: nil, file: "", function: "", line: 1)
    let handler: Logger.Metadata = ["b": "handler", "d": "handler"]
    #expect(
      handler.merged(with: provider, and: event)
        == ["a": "event", "b": "provider", "c": "provider", "d": "handler"])
  }

  @Test func anErrorIsTheDetailUnlessThereIsOne() {
    let event = LogEvent(
      level: .error, message: "a", error: Failure(), metadata: nil, source: nil, file: "", function: "",
      line: 1)
    let none: Logger.Metadata = [:]
    let one: Logger.Metadata = ["detail": "x"]
    #expect(none.merged(with: nil, and: event) == ["detail": "the disk is full"])
    #expect(one.merged(with: nil, and: event) == ["detail": "x"])
  }

  @Test(arguments: LogDestination.allCases)
  func oneThresholdMovesEveryLogger(_ destination: LogDestination) {
    let threshold = LogThreshold(.info)
    let first = destination.logger(threshold: threshold)
    var second = destination.logger(threshold: threshold)
    second.logLevel = .error
    #expect(first.logLevel == .info)
    threshold.level = .debug
    #expect(first.logLevel == .debug)
    #expect(second.logLevel == .error)
  }

  @Test func handlersAreValues() {
    let threshold = LogThreshold(.info)
    for handler in LogDestination.allCases.map({ $0.handler(threshold: threshold) }) {
      var copy = handler
      copy[metadataKey: "stream"] = "default"
      #expect(copy.metadata == ["stream": "default"])
      #expect(handler.metadata.isEmpty)
    }
  }
}
