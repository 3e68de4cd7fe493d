import BoxEvents
import FoundationEssentials
import Glibc
import Testing

@testable import Spool

/// One stream's spool on a disk, to be opened, driven, killed and looked at.
final class SpoolFixture {
  static let thread = try? DiskThread(openStreams: .max)
  /// Closes a stream's files after each call.
  static let restingThread = try? DiskThread(openStreams: 0)
  static let feed = FeedIdentity(
    api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: nil,
    type: .all)

  let spoolPath: String
  let statePath: String
  private let base: String?
  let clock = TestClock()
  var limits = SpoolLimits()
  var feed = SpoolFixture.feed
  /// Whose feed it is, as Box reports it.
  var owner: String?
  /// Whether its files are closed after each call, as those of a stream among many are.
  var rests = false
  /// How many events commits have returned from.
  var committed = 0

  /// On the real disk, in a new directory.
  init() throws {
    var template = Array("/tmp/box-eventd-spool-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    let path = String(cString: try #require(made))
    base = path
    (spoolPath, statePath) = (path + "/spool", path + "/state")
    try #require(mkdir(spoolPath, 0o750) == 0 && mkdir(statePath, 0o700) == 0)
  }

  /// On a ``MemoryDisk``.
  init(memory: Void) {
    base = nil
    (spoolPath, statePath) = ("/spool", "/state")
  }

  deinit {
    if let base { try? FileManager.default.removeItem(atPath: base) }
  }

  func place(on disk: any Disk = LocalDisk()) throws(StoreFailure) -> StreamSpool.Location {
    StreamSpool.Location(
      name: "default", feed: feed,
      spoolRoot: try DiskDirectory.root(spoolPath, on: disk, access: .shared),
      stateRoot: try DiskDirectory.root(statePath, on: disk, access: .own))
  }

  func store(on disk: any Disk = LocalDisk(), boot: String = "boot-1") throws -> StreamSpool {
    StreamSpool(
      try place(on: disk), limits: limits, bootID: boot, clock: clock.clock,
      thread: try #require(rests ? Self.restingThread : Self.thread), owner: { [owner] in owner })
  }

  func stopped() throws -> StoppedStream {
    StoppedStream(try place(), bootID: "boot-1", clock: clock.clock)
  }

  /// Reads until nothing is left, as the driver does. A full disk is tried again.
  /// - Returns: what recovery found.
  @discardableResult
  func drain(_ box: SimulatedBox, into store: StreamSpool) async throws(StoreFailure) -> Recovery {
    let recovery = try await retrying { () async throws(StoreFailure) in try await store.recover() }
    var position = recovery.checkpoint?.position ?? .oldest
    if recovery.checkpoint == nil {
      try await retrying { () async throws(StoreFailure) in
        try await store.begin(at: Checkpoint(position: .oldest))
      }
    }
    while true {
      guard let page = try? box.page(from: position), let next = page.nextPosition else { break }
      let batch = try await retrying { () async throws(StoreFailure) in
        try await store.deduplicate(page, readFrom: position)
      }
      clock.advance(11)
      let isCaughtUp = batch.new.isEmpty && ReadPosition.at(next) == position
      let before = recovery.checkpoint?.confirmedAt
      let now = BoxTime(secondsSince1970: before.map { $0.secondsSince1970 + 1 } ?? 1_800_000_000)
      let checkpoint = Checkpoint(position: .at(next), confirmedAt: isCaughtUp ? now : before)
      if batch.new.isEmpty && batch.newRejects.isEmpty {
        try await retrying { () async throws(StoreFailure) in try await store.save(checkpoint) }
      } else {
        let done = try await retrying { () async throws(StoreFailure) in
          try await store.commit(batch, at: checkpoint)
        }
        committed = Int(done.ordinal)
      }
      position = .at(next)
      if isCaughtUp { break }
    }
    return recovery
  }

  func retrying<Result: Sendable>(
    _ body: () async throws(StoreFailure) -> Result
  ) async throws(StoreFailure) -> Result {
    for _ in 0..<3 {
      do throws(StoreFailure) { return try await body() } catch { if error.code != .noSpace { throw error } }
    }
    return try await body()
  }

  // MARK: Looking

  /// The lines of all segments in order, straight from the disk.
  func lines(on disk: any Disk = LocalDisk()) throws -> [String] {
    let root = try DiskDirectory.root(spoolPath, on: disk, access: .shared)
    defer { root.close() }
    guard let directory = try root.subdirectory("default") else { return [] }
    defer { directory.close() }
    var text: [UInt8] = []
    for ordinal in try directory.names().compactMap(SegmentName.ordinal).sorted() {
      let file = try #require(try directory.file(SegmentName.text(ordinal), writing: false))
      defer { file.close() }
      text += try file.bytes(in: 0..<file.size())
    }
    return text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }

  /// How many entries are in the quarantine.
  func quarantined(on disk: any Disk = LocalDisk()) throws -> Int {
    let root = try DiskDirectory.root(spoolPath, on: disk, access: .shared)
    defer { root.close() }
    guard let directory = try root.subdirectory("default") else { return 0 }
    defer { directory.close() }
    return try LineLog(QuarantineLine.fileName, in: directory).lineCount()
  }

  func verify(on disk: any Disk = LocalDisk()) throws -> SpoolVerifier.Report {
    let place = try place(on: disk)
    let spool = try #require(try place.spoolRoot.subdirectory("default"))
    let state = try #require(try place.stateRoot.subdirectory("default"))
    defer { for directory in [place.spoolRoot, place.stateRoot, spool, state] { directory.close() } }
    return try SpoolVerifier(spool: spool, state: state).verify()
  }

  /// Every event of `box` is there once, in order, and the verifier agrees.
  func expectIntact(
    _ box: SimulatedBox, on disk: any Disk = LocalDisk(), _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = (0..<box.total).map { SimulatedBox.line($0) }
    #expect(try lines(on: disk) == expected, comment, sourceLocation: sourceLocation)
    #expect(try verify(on: disk).problem == nil, comment, sourceLocation: sourceLocation)
  }

  func path(_ name: String) -> String { "\(spoolPath)/default/\(name)" }
  var positionPath: String { "\(statePath)/default/stream_position" }

  func read(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
  }

  func append(_ text: String, to path: String) throws {
    try write(try read(path) + Array(text.utf8), to: path)
  }

  func segmentNames() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(spoolPath)/default")
      .filter { SegmentName.ordinal($0) != nil }.sorted()
  }

  func record() throws -> PositionRecord? { try stopped().position() }
}
