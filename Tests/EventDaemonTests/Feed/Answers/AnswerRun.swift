import BoxClient
import BoxEvents
import NIOPosix
import ScriptedHTTP
import Testing

@testable import EventDaemon
@testable import Spool

/// Runs one row through all of the daemon except its supervisor: a server on loopback, the HTTP client, the
/// sign-in, the feed's machine and driver, and a spool on the disk.
struct AnswerRun {
  let row: AnswerRow
  private let folder: TemporaryFolder
  private let location: StreamSpool.Location
  private let thread: DiskThread
  private let observer: AnswerObserver
  private let script: AnswerScript

  init(_ row: AnswerRow) throws {
    self.row = row
    folder = try TemporaryFolder()
    location = StreamSpool.Location(
      name: "default",
      feed: FeedIdentity(
        api: WebURL.Origin(scheme: .http, host: "127.0.0.1"), subject: Subject("user:1"), asUser: nil,
        type: .all),
      spoolRoot: try .root(folder.folder("spool", mode: 0o750), on: LocalDisk(), access: .shared),
      stateRoot: try .root(folder.folder("state"), on: LocalDisk(), access: .own))
    thread = try DiskThread()
    observer = AnswerObserver(location)
    script = AnswerScript(row, observer)
  }

  func callAsFunction() async throws {
    try await begin()
    let (requests, foreignConnections) = try await ScriptedServer.run { _, _ in
      .answer(200, #"{"version":1,"message":"new_change"}"#)
    } _: { foreign in
      let requests = try await ScriptedServer.run { [script] request, _ in
        script.reply(to: request).naming(request.headers["host"] ?? "", foreign)
      } _: { server in
        try await drive(server)
        return server.requests
      }
      return (requests, foreign.connections)
    }
    #expect(foreignConnections == 0, "\(row.name)")
    expectSecretsKept(requests)
    try expectOutcome()
    try expectSpool()
  }

  /// A stream that has run before and is at position 1000.
  private func begin() async throws {
    let store = store()
    _ = try await store.recover()
    let position = try #require(ReadPosition("1000"))
    try await store.begin(at: Checkpoint(position: position))
    await store.close()
  }

  private func store() -> StreamSpool { StreamSpool(location, bootID: "boot", thread: thread) }

  private func drive(_ server: ScriptedServer) async throws {
    var settings = TransportSettings(version: "1")
    settings.maximumPageBytes = row.maximumPage
    let transport = BoxTransport(settings: settings, group: MultiThreadedEventLoopGroup.singleton)
    let endpoint = try TokenEndpoint(
      transport: transport, url: #require(WebURL(server.origin + "/oauth2/token")))
    let signIn = ClientCredentials(
      endpoint: endpoint, clientID: "id", clientSecret: { Secret("CANARY-secret") },
      subject: try #require(Subject("user:1")))
    let driver = FeedDriver(
      source: try BoxSource(
        transport: transport, tokens: AccessTokens(signIn: signIn, seed: 1),
        settings: FeedSettings(apiURL: try #require(WebURL(server.origin + "/2.0")))),
      store: store(), clock: ObservedClock(observer: observer), rules: FeedRules(type: .all), start: .now,
      seed: 1, report: observer.report)
    let task = Task {
      var driver = driver
      try await driver.run()
    }
    await script.waitForEnd()
    task.cancel()
    let result = await task.result
    await transport.shutdown()
    try result.get()
  }

  // MARK: Expectations

  private func expectOutcome() throws {
    let nextRead = try #require(script.nextRead, "\(row.name): did not read again")
    let observed = try #require(script.observation)
    #expect(observed.saved == row.saved, "\(row.name)")
    #expect(nextRead.asks == row.asks, "\(row.name)")
    #expect(nextRead.limit == "\(row.limit)", "\(row.name)")
    #expect(observed.wait?.state == row.state, "\(row.name)")
    if let waits = row.waits {
      #expect(waits.contains(observed.wait?.length ?? .zero), "\(row.name): \(observed)")
    }
    if let reports = row.reports {
      #expect(observed.error?.contains(reports) == true, "\(row.name): \(observed.error ?? "nothing")")
    } else {
      #expect(observed.error == nil, "\(row.name)")
    }
    for text in [row.reports, row.logs].compactMap(\.self) {
      #expect(observer.lines.contains { $0.contains(text) }, "\(row.name): \(observer.lines)")
    }
    if let subscriptions = row.subscriptions { #expect(script.subscriptions == subscriptions, "\(row.name)") }
    if let polls = row.polls { #expect(script.firstServerPolls == polls, "\(row.name)") }
    if let timeout = row.pollTimeout {
      // The driver allows 70 s more than the server's `retry_timeout`.
      #expect(script.pollTimeout == timeout + .seconds(70), "\(row.name)")
    }
  }

  /// Every log message is one plain line without a secret.
  private func expectSecretsKept(_ requests: [RecordedRequest]) {
    for line in observer.lines {
      #expect(!line.unicodeScalars.contains { Self.isUnsafe($0) }, "\(row.name): \(line.debugDescription)")
      #expect(!line.contains("CANARY"), "\(row.name): \(line)")
    }
    for poll in requests where poll.target.hasPrefix("/subscribe") {
      #expect(poll.headers["authorization"] == nil, "\(row.name)")
    }
  }

  /// Control and format characters, and the two separators.
  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: scalar.properties.isBidiControl
    default: false
    }
  }

  private func expectSpool() throws {
    let spool = try #require(try location.spoolRoot.subdirectory("default"))
    let state = try #require(try location.stateRoot.subdirectory("default"))
    let segments = try spool.names().compactMap(SegmentName.ordinal).sorted()
    let lines = try segments.flatMap { try Self.lines(of: SegmentName.text($0), in: spool) }
    let expected = (row.spooled + AnswerScript.goodLines).map { Array($0.utf8) }
    #expect(lines.count == expected.count, "\(row.name)")
    for (line, wanted) in zip(lines, expected) where line != wanted {
      Issue.record("\(row.name): spooled \(String(decoding: line.prefix(200), as: UTF8.self))")
    }
    let reasons = try Self.lines(of: QuarantineLine.fileName, in: spool).map {
      JSONDocument($0)?["reason"].text
    }
    #expect(reasons == row.quarantined, "\(row.name)")
    #expect(try Self.lines(of: GapLine.fileName, in: spool).isEmpty, "\(row.name)")
    #expect(observer.observe().saved == "2000", "\(row.name)")
    #expect(try SpoolVerifier(spool: spool, state: state).verify().problem == nil, "\(row.name)")
  }

  private static func lines(of name: String, in directory: DiskDirectory) throws -> [[UInt8]] {
    guard let file = try directory.file(name, writing: false) else { return [] }
    defer { file.close() }
    return try file.bytes(in: 0..<file.size()).split(separator: 0x0A).map { Array($0) }
  }
}

extension Reply {
  /// With the origins of this server and of the foreign one in place of `$SELF` and `$FOREIGN`.
  fileprivate func naming(_ host: String, _ foreign: ScriptedServer) -> Reply {
    var reply = self
    reply.steps = steps.map { step in
      guard case .send(let text) = step else { return step }
      return .send(
        text.replacing("$SELF", with: "http://\(host)").replacing("$FOREIGN", with: foreign.origin))
    }
    return reply
  }
}
