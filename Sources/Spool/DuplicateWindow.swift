import BoxEvents
import Crypto

/// The newest events by their ids: a ring in order of arrival, and a hash table over it, allocated as it fills:
/// 16 bytes an id and about 10 for the table.
struct DuplicateWindow: Sendable {
  private(set) var capacity: Int
  private var ids: [EventIdentity] = []
  /// The oldest id, once the ring is full.
  private var head = 0
  /// For each slot 0, or one more than an index in `ids`. A power of two, at least twice as many as ids.
  private var table: [UInt32] = []

  /// - Parameter capacity: ids kept; the oldest are dropped.
  init(capacity: Int) { self.capacity = max(1, capacity) }

  var count: Int { ids.count }
  func contains(_ id: EventIdentity) -> Bool { table.isEmpty ? false : table[slot(of: id)] != 0 }

  /// Returns false if the id was known.
  @discardableResult mutating func insert(_ id: EventIdentity) -> Bool {
    guard !contains(id) else { return false }
    if ids.count < capacity {
      if (ids.count + 1) * 2 > table.count { grow() }
      table[slot(of: id)] = UInt32(truncatingIfNeeded: ids.count + 1)
      ids.append(id)
    } else {
      vacate(slot(of: ids[head]))
      ids[head] = id
      table[slot(of: id)] = UInt32(truncatingIfNeeded: head + 1)
      head = (head + 1) % ids.count
    }
    return true
  }

  /// The newest ids, at most `count`, the oldest of them first.
  func newest(_ count: Int) -> [EventIdentity] { (ids[head...] + ids[..<head]).suffix(count) }

  /// Changes how many ids are kept; the newest stay.
  mutating func resize(to capacity: Int) {
    var resized = DuplicateWindow(capacity: capacity)
    for id in newest(resized.capacity) { resized.insert(id) }
    self = resized
  }

  /// Where `id` is, or the free slot where it would go. The table always has a free slot.
  private func slot(of id: EventIdentity) -> Int {
    let mask = table.count - 1
    var slot = home(of: id)
    while table[slot] != 0, ids[Int(table[slot]) - 1] != id { slot = (slot + 1) & mask }
    return slot
  }

  private func home(of id: EventIdentity) -> Int { Int(truncatingIfNeeded: id.low) & (table.count - 1) }

  /// Empties a slot and moves up what had to go past it (linear probing, deletion by shifting back).
  private mutating func vacate(_ slot: Int) {
    let mask = table.count - 1
    var hole = slot
    var next = (slot + 1) & mask
    table[hole] = 0
    while table[next] != 0 {
      let wanted = home(of: ids[Int(table[next]) - 1])
      if (next - wanted) & mask >= (next - hole) & mask {
        table[hole] = table[next]
        table[next] = 0
        hole = next
      }
      next = (next + 1) & mask
    }
  }

  private mutating func grow() {
    table = [UInt32](repeating: 0, count: max(16, table.count * 2))
    for (index, id) in ids.enumerated() { table[slot(of: id)] = UInt32(truncatingIfNeeded: index + 1) }
  }
}

/// The ids of the newest events in `known_ids`, in the state directory: one a line, the oldest first, and a
/// checksum. Written whenever a segment is finished, since it may be deleted at once: the overlap that Box serves
/// again at the next start must be known even then. Read only where the spool itself has too few events.
enum KnownIDs {
  static let fileName = "known_ids"
  private static let temporaryName = ".known_ids"

  /// The ids; none if the file is missing or corrupt.
  static func read(in state: DiskDirectory) throws(StoreFailure) -> [EventIdentity] {
    guard let file = try state.file(fileName, writing: false) else { return [] }
    defer { file.close() }
    let text = String(decoding: try file.bytes(in: 0..<file.size()), as: UTF8.self)
    var lines = text.split(separator: "\n")
    guard let last = lines.popLast(), last == checksumLine(lines.joined(separator: "\n")) else { return [] }
    return lines.compactMap { EventIdentity(String($0)) }
  }

  /// Replaces the file. A crash leaves the old one or the new one.
  static func write(_ ids: [EventIdentity], in state: DiskDirectory) throws(StoreFailure) {
    let lines = ids.map(\.description)
    let text = (lines + [checksumLine(lines.joined(separator: "\n"))]).joined(separator: "\n") + "\n"
    let file = try state.madeFile(temporaryName)
    defer { file.close() }
    try file.truncate(to: 0)
    try file.write(Array(text.utf8), at: 0)
    try file.synchronize()
    try state.rename(temporaryName, to: fileName)
    try state.synchronize()
  }

  private static func checksumLine(_ lines: String) -> String {
    "checksum: " + Hexadecimal.text(of: SHA256.hash(data: Array(lines.utf8)))
  }
}
