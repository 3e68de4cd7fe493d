import BoxEvents
import Crypto
import FoundationEssentials

/// A line of `quarantine.ndjson`: an entry that is not an event, as Box sent it.
enum QuarantineLine {
  static let fileName = "quarantine.ndjson"

  /// - Parameters:
  ///   - entry: the entry's bytes; as text where they are UTF-8, otherwise in Base64 as `entry_base64`.
  ///   - time: local seconds since 1970.
  static func line(
    _ entry: ArraySlice<UInt8>, reason: String, readFrom: ReadPosition, time: Int64
  ) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    object.add("reason", reason)
    object.add("read_from", readFrom.description)
    object.add("sha256", Hexadecimal.text(of: SHA256.hash(data: entry)))
    if let text = String(validating: entry, as: UTF8.self) {
      object.add("entry", text)
    } else {
      object.add("entry_base64", Data(entry).base64EncodedString())
    }
    return object.line
  }

  /// What an entry is known by: half of its SHA-256.
  static func identity(of entry: ArraySlice<UInt8>) -> EventIdentity {
    entry.withUnsafeBytes { EventIdentity(id: $0) }
  }

  /// The identity of the entry on a line, from its `sha256`.
  static func identity(on line: some Sequence<UInt8>) -> EventIdentity? {
    JSONDocument(Array(line))?["sha256"].text.flatMap { EventIdentity($0) }
  }
}

extension OpenSpool {
  mutating func newRejects(of page: EventPage) throws(StoreFailure) -> [Int] {
    guard !page.rejects.isEmpty else { return [] }
    let known = try loadedRejects()
    var inPage = Set<EventIdentity>()
    return page.rejects.indices.filter { index in
      let id = QuarantineLine.identity(of: page.bytes[page.rejects[index].range])
      return !known.contains(id) && inPage.insert(id).inserted
    }
  }

  /// Adds an entry to the quarantine, durably.
  mutating func quarantine(_ reject: PendingCommit.Reject) throws(StoreFailure) {
    var known = try loadedRejects()
    // Its commit was interrupted after this step.
    if known.contains(reject.identity) { return }
    try quarantineLog.append(reject.line)
    known.insert(reject.identity)
    knownRejects = known
  }

  /// The last thousand entries of the quarantine.
  private mutating func loadedRejects() throws(StoreFailure) -> DuplicateWindow {
    if let knownRejects { return knownRejects }
    var known = DuplicateWindow(capacity: 1000)
    // Before a line is trusted to be on disk.
    try quarantineLog.repairTail()
    for line in try quarantineLog.tail() {
      if let id = QuarantineLine.identity(on: line) { known.insert(id) }
    }
    knownRejects = known
    return known
  }
}
