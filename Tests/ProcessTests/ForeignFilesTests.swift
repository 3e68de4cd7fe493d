import BoxSimulator
import FoundationEssentials
import Glibc
import TestSystem
import Testing

/// Other files in the place of the daemon's own files and directories: the daemon refuses to write there, names the
/// path, and leaves the files, and those they lead to, as they were.
@Suite struct ForeignFilesTests {
  /// What replaces the daemon's file.
  enum Replacement: CaseIterable {
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
    /// The daemon writes there, or below. Files that it only reads or replaces must do no harm either, but needn't
    /// stop it.
    var isWritten = true

    var description: String { name }
    /// The only stream is blocked; or the configuration is not valid.
    var exit: Int32 { name.contains("default") ? 65 : 78 }

    static let newest = "events-0000000000000012.ndjson"
    static let next = "events-0000000000000017.ndjson"
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

  @Test(arguments: Path.all) func refusesTheReplacementAndLeavesIt(_ path: Path) async throws {
    for replacement in Replacement.allCases where Self.isPossible(replacement, at: path) {
      try await withTestEnvironment { fixture in
        try await prepare(fixture, for: path)
        let victim = try Victim(replacement, at: path, in: fixture)
        let daemon = try fixture.startEndingWhenBlocked()
        try await eventually("an end, or all events: \(path) \(replacement) \(fixture.lastLines(3))") {
          !daemon.isRunning || fixture.spoolSize() >= fixture.ledger().count
            || FileFacts("\(fixture.root)/spool/default/\(Path.next)")?.size ?? 0 > 0
        }
        if path.isWritten {
          #expect(
            try await daemon.ended() == .code(path.exit), "\(path) \(replacement): \(fixture.lastLines(3))")
          #expect(fixture.lastLines(2).isTwoLines, "\(path) \(replacement): \(fixture.lastLines(2))")
          #expect(
            fixture.lastLines(2).contains("\(fixture.root)/\(path)"),
            "\(replacement): \(fixture.lastLines(2))")
        } else if daemon.isRunning {
          #expect(try await daemon.terminated() == .code(0), "\(path) \(replacement)")
        } else {
          #expect(fixture.lastLines(2).isTwoLines, "\(path) \(replacement): \(fixture.lastLines(2))")
        }
        let isUntouched = victim.isUntouched
        #expect(isUntouched, "\(path) \(replacement)")
      }
    }
  }

  private static func isPossible(_ replacement: Replacement, at path: Path) -> Bool {
    switch replacement {
    // The configuration decides where spool and state are: a link is allowed there.
    case .link: !["spool", "state"].contains(path.name)
    // A backup gives the spool's files second names, as `cp -al` does: that is allowed.
    case .secondName: !path.isDirectory && !path.name.hasPrefix("spool/")
    // A file that is only replaced harms no other file.
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

/// The file an attacker wants the daemon to change.
private struct Victim {
  private let path: String
  private let before: [String: [UInt8]]
  private let mode: mode_t?
  private let names: [String]

  init(
    _ replacement: ForeignFilesTests.Replacement, at fixture: ForeignFilesTests.Path,
    in folder: TestEnvironment
  )
    throws
  {
    let replaced = "\(folder.root)/\(fixture.name)"
    let elsewhere = "\(folder.root)/victim"
    if FileFacts(replaced) == nil { writeFile(replaced, Array("precious".utf8), mode: 0o600) }
    switch replacement {
    case .link:
      try Self.check(rename(replaced, elsewhere) == 0 && symlink(elsewhere, replaced) == 0)
      path = elsewhere
    case .secondName:
      try Self.check(Glibc.link(replaced, elsewhere) == 0)
      path = elsewhere
    case .fifo:
      try Self.check(rename(replaced, elsewhere) == 0 && mkfifo(replaced, 0o600) == 0)
      path = elsewhere
    case .otherKind:
      try Self.check(rename(replaced, elsewhere) == 0)
      if fixture.isDirectory {
        writeFile(replaced, Array("precious".utf8), mode: 0o600)
      } else {
        try Self.check(mkdir(replaced, 0o700) == 0)
        writeFile("\(replaced)/file", Array("precious".utf8), mode: 0o600)
      }
      path = replaced
    case .foreignOwner:
      try Self.check(chown(replaced, 1, 1) == 0)
      path = replaced
    case .openToAll:
      try Self.check(chmod(replaced, fixture.isDirectory ? 0o777 : 0o666) == 0)
      path = replaced
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
    if !isDone { throw ChildProcess.Failure(call: "replace", errno: errno) }
  }
}
