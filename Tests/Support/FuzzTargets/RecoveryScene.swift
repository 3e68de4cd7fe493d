import BoxEvents
import Crypto
import TestDisks

@testable import Spool

/// What an earlier run might have left, written as text: a section for each file, begun by a line `=== NAME`.
///
///     === boot boot-1
///     === record 7
///     position: 1000
///     ordinal: 2
///     === segments.ndjson
///     {"start":"0","feed":"FEED"}
///     === events-0000000000000000.ndjson
///     {"event_id":"1"}
///
/// `boot` names the boot in which the daemon recovers. `record N` is a position record with sequence N; what it
/// doesn't say is as a new stream's would be. `block N` is any text framed like a record. Both take the two places
/// of the position file in turn; `stream_position` is that file, unframed. `FEED` is the digest of the right
/// feed.
struct RecoveryScene {
  static let feed = FeedIdentity(
    api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: nil,
    type: .all)

  private(set) var boot = "boot-1"
  /// Text that a position may come from.
  private(set) var evidence: [String] = []
  private var spool: [(name: String, bytes: [UInt8])] = []
  private var state: [(name: String, bytes: [UInt8])] = []
  private var blocks: [[UInt8]] = []

  init(_ input: [UInt8]) {
    var section = "stream_position"
    var content: [UInt8] = []
    for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if line.starts(with: Array("=== ".utf8)) {
        add(section, content)
        section = String(decoding: line.dropFirst(4), as: UTF8.self)
        content = []
      } else {
        if !content.isEmpty { content.append(0x0A) }
        content += line
      }
    }
    add(section, content)
    if !blocks.isEmpty { state.append(("stream_position", blocks.prefix(2).flatMap { $0 })) }
  }

  /// Something shows that the stream has run before. A position file alone doesn't: it is made before
  /// the start line, and a crash in between leaves a first start. Nor does a start line beside it: the record may
  /// be an unused one of another feed.
  var hasRun: Bool {
    let hasPosition = state.contains { $0.name == PositionRecord.fileName }
    return spool.contains { name, bytes in
      guard name == SegmentEntry.fileName else { return SegmentName.ordinal(name) != nil }
      let lines = bytes[..<(bytes.lastIndex(of: 0x0A) ?? 0)].split(separator: 0x0A)
      return hasPosition ? SegmentEntry.last(in: lines) != nil : !bytes.isEmpty
    }
  }

  /// Puts the files on a new disk.
  func disk() throws(DiskError) -> MemoryDisk {
    let disk = MemoryDisk()
    for (root, files) in [("/spool", spool), ("/state", state)] {
      let root = try disk.openRoot(root)
      try disk.makeDirectory("default", in: root, mode: 0o700)
      let directory = try disk.openDirectory("default", in: root)
      for file in files {
        guard let handle = try? disk.createFile(file.name, in: directory, mode: 0o600) else { continue }
        try Self.write(file.bytes, to: handle, on: disk)
        try disk.synchronizeData(handle)
      }
      try disk.synchronizeDirectory(directory)
      try disk.synchronizeDirectory(root)
    }
    disk.kill()
    return disk
  }

  private static func write(
    _ bytes: [UInt8], to handle: DiskHandle, on disk: MemoryDisk
  ) throws(DiskError) {
    _ = try bytes.withUnsafeBufferPointer { buffer throws(DiskError) in
      try disk.write(handle, UnsafeRawBufferPointer(buffer), at: 0)
    }
  }

  private mutating func add(_ section: String, _ bytes: [UInt8]) {
    let words = section.split(separator: " ").map { String($0) }
    let bytes = bytes.replacing(Array("FEED".utf8), with: Array(Self.feed.digest.utf8))
    switch words.first {
    case "boot"?:
      boot = String(section.dropFirst(5).filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    case "record"?: addBlock(words, Self.record(String(decoding: bytes, as: UTF8.self)).text)
    case "block"?: addBlock(words, String(decoding: bytes, as: UTF8.self) + "\n")
    case "stream_position"?, KnownIDs.fileName?:
      if !bytes.isEmpty { state.append((words[0], bytes)) }
      evidence.append(String(decoding: bytes, as: UTF8.self))
    case let name? where Self.isFileName(name) && !spool.contains { $0.name == name }:
      // Files end with a newline unless the section is `partial`.
      let isPartial = words.dropFirst().first == "partial"
      spool.append((name, bytes + (isPartial || bytes.isEmpty ? [] : [0x0A])))
      evidence.append(String(decoding: bytes, as: UTF8.self))
    default: break
    }
  }

  private static func isFileName(_ name: String) -> Bool {
    let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789-._".utf8)
    return name.utf8.count < 64 && name.first != "." && name.utf8.allSatisfy { allowed.contains($0) }
  }

  // MARK: The position file

  private mutating func addBlock(_ words: [String], _ content: String) {
    let sequence = words.count > 1 ? words[1] : "1"
    let lines = "sequence: \(sequence)\n\(content)"
    let checksum = Hexadecimal.text(of: SHA256.hash(data: Array(lines.utf8)))
    let text = Array("\(lines)checksum: \(checksum)\n".utf8)
    blocks.append(text + [UInt8](repeating: 0x20, count: max(0, 4095 - text.count)) + [0x0A])
    evidence.append(content)
  }

  private static func record(_ text: String) -> PositionRecord {
    var record = PositionRecord(
      checkpoint: Checkpoint(position: .oldest), ordinal: 0, segment: 0, offset: 0, boot: "boot-1",
      feed: feed.digest)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ": ", maxSplits: 1).map { String($0) }
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "position": record.checkpoint.position = ReadPosition(parts[1]) ?? .oldest
      case "confirmed_at":
        record.checkpoint.confirmedAt = Int64(parts[1]).map { BoxTime(secondsSince1970: $0) }
      case "ordinal": record.ordinal = UInt64(parts[1]) ?? 0
      case "segment": record.segment = UInt64(parts[1]) ?? 0
      case "offset": record.offset = Int(parts[1]) ?? 0
      case "boot": record.boot = parts[1]
      case "feed": record.feed = parts[1]
      case "read_since": record.checkpoint.readSince = Int64(parts[1]).map { BoxTime(secondsSince1970: $0) }
      case "known_from": record.known = PositionRecord.Known(parts[1]) ?? .recent
      case "spool_end": record.accepted = SpoolEnd(Substring(parts[1]))
      default: break
      }
    }
    return record
  }
}
