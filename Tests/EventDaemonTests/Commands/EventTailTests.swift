import Glibc
import TestSystem
import Testing

@testable import EventDaemon

@Suite struct EventTailTests {
  private func event(_ line: String) throws -> EventText {
    try #require(Array(line.utf8).withUnsafeBytes { EventText($0) })
  }

  @Test func anEventIsOneEscapedLine() throws {
    let pretty = try event(
      #"{"event_type":"X\n","created_at":"2026-01-01T00:00:00Z","created_by":{"name":"a\u001b[2J"},"source":{"type":"file","name":"\u202e"}}"#
    ).pretty
    #expect(pretty == #"2026-01-01T00:00:00Z  X\u{A}  a\u{1B}[2J  file “\u{202E}”"#)
    #expect(try event("{}").pretty == "-  -  -  -")
  }

  @Test func aDurationIsBeforeNow() {
    #expect(EventFilter.since("10m", now: 1000) == 400)
    #expect(EventFilter.since("1970-01-01T00:10:00Z", now: 1000) == 600)
    for text in ["", "10", "soon", "-1m", "2026-01-01"] { #expect(EventFilter.since(text, now: 0) == nil) }
  }

  @Test func theFilterTakesTypesAndTime() throws {
    let old = try event(#"{"event_type":"ITEM_UPLOAD","created_at":"1970-01-01T00:10:00Z"}"#)
    let timeless = try event(#"{"event_type":"LOGIN"}"#)
    let all = EventFilter(types: [], since: nil)
    #expect(all.isOpen && all.passes(old) && all.passes(timeless))
    let uploads = EventFilter(types: ["ITEM_UPLOAD"], since: nil)
    #expect(!uploads.isOpen && uploads.passes(old) && !uploads.passes(timeless))
    #expect(EventFilter(types: ["item_upload"], since: nil).passes(old))
    #expect(EventFilter(types: [], since: 600).passes(old))
    let recent = EventFilter(types: [], since: 601)
    #expect(!recent.passes(old) && recent.passes(timeless))
  }

  /// Box adds types, so that an unknown one may be right.
  @Test func namesTypesThatNoEventHas() throws {
    let folder = try TemporaryFolder()
    var configuration = try ConfigurationText.read(ConfigurationText.minimal)
    configuration.spool.directory = try folder.folder("spool")
    let stream = try #require(configuration.streams.first)
    let spool = try folder.folder("spool/\(stream.name)")
    let line = Array((#"{"event_type":"ITEM_UPLOAD"}"# + "\n").utf8)
    let path = "\(spool)/events-0000000000000000.ndjson"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o640)
    try #require(
      descriptor >= 0 && write(descriptor, line, line.count) == line.count && close(descriptor) == 0)
    let tools = StreamTools(configuration, unit: "box-eventd")
    #expect(try tools.unusedTypes(in: stream, []).isEmpty)
    #expect(try tools.unusedTypes(in: stream, ["item_upload", "ITEM_UPLOAD"]).isEmpty)
    #expect(
      try tools.unusedTypes(in: stream, ["ITEM_UPLAOD", "LOGIN"]) == [
        "none of the last 10000 events is of type ITEM_UPLAOD; perhaps you meant ITEM_UPLOAD",
        "none of the last 10000 events is of type LOGIN",
      ])
  }
}
