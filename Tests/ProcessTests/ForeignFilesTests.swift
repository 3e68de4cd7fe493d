import BoxSimulator
import FoundationEssentials
import Glibc
import TestSystem
import Testing

/// Someone has put something else where the daemon's own files and directories belong: what it writes is
/// refused by name, and whatever was planted, or what it leads to, stays as it was.
@Suite struct ForeignFilesTests {
  /// What stands there instead.
  enum Plant: CaseIterable {
    /// A link to the victim, which has the contents that belong there.
    case link
    /// The victim is the file, with a second name elsewhere.
    case secondName
    case fifo
    /// A directory where a file belongs, or the other way round.
    case otherKind
    case foreignOwner
    case openToAll
  }

  /// A path the daemon opens, relative to the fixture.
  struct Path: CustomStringConvertible {
    var name: String
    var isDirectory = false
    /// The daemon writes there, or below; what it only reads or replaces may do no harm either, but
    /// needn't stop it.
    var isWritten = true

    var description: String { name }
    /// A stream that waits for a person, here the only one; or a configuration that can't be used.
    var exit: Int32 { name.contains("default") ? 65 : 78 }

    static let newest = "events-0000000000000012.ndjson"
    static let all = [
      Path(name: "spool", isDirectory: true), Path(name: "spool/default", isDirectory: true),
      Path(name: "state", isDirectory: true), Path(name: "state/default", isDirectory: true),
      Path(name: "spool/.lock"), Path(name: "state/.lock"),
      Path(name: "spool/default/\(newest)"), Path(name: "spool/default/segments.ndjson"),
      Path(name: "spool/default/gaps.ndjson"), Path(name: "spool/default/quarantine.ndjson"),
      Path(name: "state/default/stream_position"), Path(name: "state/default/.known_ids"),
      Path(name: "state/default/known_ids", isWritten: false),
      Path(name: "spool/default/events-0000000000000000.ndjson", isWritten: false),
      Path(name: "spool/default/current", isWritten: false),
      Path(name: "spool/default/.current", isWritten: false),
    ]
  }

  @Test(arguments: Path.all) func isRefusedAndStaysAsItWas(_ path: Path) async throws {
    for plant in Plant.allCases where Self.isPossible(plant, at: path) {
      try await withPlace { fixture in
        try await prepare(fixture, for: path)
        let victim = try Victim(plant, at: path, in: fixture)
        let daemon = try fixture.start()
        try await eventually("an end, or all events: \(path) \(plant) \(fixture.lastLines(3))") {
          !daemon.isRunning || fixture.spoolSize() >= fixture.ledger().count
        }
        if path.isWritten {
          #expect(try await daemon.ended() == .code(path.exit), "\(path) \(plant): \(fixture.lastLines(3))")
          #expect(fixture.lastLines(2).isTwoLines, "\(path) \(plant): \(fixture.lastLines(2))")
          #expect(
            fixture.lastLines(2).contains("\(fixture.root)/\(path)"), "\(plant): \(fixture.lastLines(2))")
        } else if daemon.isRunning {
          #expect(try await daemon.terminated() == .code(0), "\(path) \(plant)")
        } else {
          #expect(fixture.lastLines(2).isTwoLines, "\(path) \(plant): \(fixture.lastLines(2))")
        }
        let isUntouched = victim.isUntouched
        #expect(isUntouched, "\(path) \(plant)")
      }
    }
  }

  private static func isPossible(_ plant: Plant, at path: Path) -> Bool {
    switch plant {
    // Where the spool and the state are is the configuration's business: a link may stand there.
    case .link: !["spool", "state"].contains(path.name)
    case .secondName: !path.isDirectory && !path.name.hasSuffix("current")
    // What is only replaced is nobody's victim.
    case .openToAll: path.isWritten
    case .foreignOwner: path.isWritten && geteuid() == 0
    case .fifo, .otherKind: true
    }
  }

  /// Two segments, and a daemon that has yet to begin a third, to remember its ids and to quarantine something;
  /// or to record a gap.
  private func prepare(_ fixture: TestEnvironment, for path: Path) async throws {
    for count in [12, 5] {
      fixture.simulator.produce(count)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      try #require(try await daemon.terminated() == .code(0))
      fixture.ageSegments()
    }
    try #require(fixture.segmentCount() == 2)
    if path.name.hasSuffix("gaps.ndjson") {
      try #require(truncate("\(fixture.root)/spool/default/\(Path.newest)", 0) == 0)
    }
    fixture.simulator.produce(5)
    guard path.name.hasSuffix("quarantine.ndjson") else { return }
    let position = fixture.simulator.newestPosition()
    fixture.simulator.script(.events, [.body(#"{"next_stream_position":\#(position),"entries":[5]}"#)])
  }
}

/// What an attacker would have the daemon change.
private struct Victim {
  private let path: String
  private let before: [String: [UInt8]]
  private let mode: mode_t?
  private let names: [String]

  init(_ plant: ForeignFilesTests.Plant, at fixture: ForeignFilesTests.Path, in folder: TestEnvironment)
    throws
  {
    let planted = "\(folder.root)/\(fixture.name)"
    let elsewhere = "\(folder.root)/victim"
    if FileFacts(planted) == nil { writeFile(planted, Array("precious".utf8), mode: 0o600) }
    switch plant {
    case .link:
      try Self.check(rename(planted, elsewhere) == 0 && symlink(elsewhere, planted) == 0)
      path = elsewhere
    case .secondName:
      try Self.check(Glibc.link(planted, elsewhere) == 0)
      path = elsewhere
    case .fifo:
      try Self.check(rename(planted, elsewhere) == 0 && mkfifo(planted, 0o600) == 0)
      path = elsewhere
    case .otherKind:
      try Self.check(rename(planted, elsewhere) == 0)
      if fixture.isDirectory {
        writeFile(planted, Array("precious".utf8), mode: 0o600)
      } else {
        try Self.check(mkdir(planted, 0o700) == 0)
        writeFile("\(planted)/file", Array("precious".utf8), mode: 0o600)
      }
      path = planted
    case .foreignOwner:
      try Self.check(chown(planted, 1, 1) == 0)
      path = planted
    case .openToAll:
      try Self.check(chmod(planted, fixture.isDirectory ? 0o777 : 0o666) == 0)
      path = planted
    }
    (before, mode, names) = (Self.contents(path), FileFacts(path)?.mode, directoryNames(path).sorted())
  }

  var isUntouched: Bool {
    Self.contents(path) == before && FileFacts(path)?.mode == mode && directoryNames(path).sorted() == names
  }

  private static func contents(_ path: String) -> [String: [UInt8]] {
    let all = FileFacts(path)?.kind == .directory ? files(below: path) : [path]
    return Dictionary(uniqueKeysWithValues: all.map { ($0, readFile($0)) })
  }

  private static func check(_ isDone: Bool) throws {
    if !isDone { throw ChildProcess.Failure(call: "planting", errno: errno) }
  }
}
