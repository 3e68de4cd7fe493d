import BoxEvents
import Crypto

/// The newest events by their ids: a ring in order of arrival, and a hash table over it, allocated as it fills:
/// 16 bytes an id and about 10 for the table.
struct DuplicateWindow: Sendable {
  /// How many ids are kept. After it was lowered, two go for each that comes.
  var capacity: Int
  private(set) var count = 0
  private var ids: [EventIdentity] = []
  /// Where the oldest id is; the others follow, around the end.
  private var head = 0
  /// For each slot 0, or one more than an index in `ids`. A power of two, at least twice as many as ids.
  private var table: [UInt32] = []

  /// - Parameter capacity: ids kept; the oldest are dropped.
  init(capacity: Int) { self.capacity = max(1, capacity) }

  func contains(_ id: EventIdentity) -> Bool { table.isEmpty ? false : table[slot(of: id)] != 0 }

  /// Returns false if the id was known.
  @discardableResult mutating func insert(_ id: EventIdentity) -> Bool {
    guard !contains(id) else { return false }
    for _ in 0..<2 where count > 0 && count >= capacity {
      vacate(slot(of: ids[head]))
      head = (head + 1) % ids.count
      count -= 1
    }
    if count == ids.count, head > 0 {
      (ids, head) = (newest(count), 0)
      index(slots: table.count)
    }
    if (count + 1) * 2 > table.count { index(slots: max(16, table.count * 2)) }
    let place = count == ids.count ? count : (head + count) % ids.count
    table[slot(of: id)] = UInt32(truncatingIfNeeded: place + 1)
    if place == ids.count { ids.append(id) } else { ids[place] = id }
    count += 1
    return true
  }

  /// The newest ids, at most `wanted`, the oldest of them first.
  func newest(_ wanted: Int) -> [EventIdentity] {
    (max(0, count - wanted)..<count).map { ids[(head + $0) % ids.count] }
  }

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

  /// Makes the table again.
  private mutating func index(slots: Int) {
    table = [UInt32](repeating: 0, count: slots)
    for offset in 0..<count {
      let place = (head + offset) % ids.count
      table[slot(of: ids[place])] = UInt32(truncatingIfNeeded: place + 1)
    }
  }
}

/// Which ordinals were reached when, so far as to tell how many events the last hours have brought.
struct RecentEvents: Sendable {
  private static let spacing = Duration.seconds(300)
  /// On the monotonic clock; the first one may be older than the hours.
  private var marks: [(at: Duration, ordinal: UInt64)] = []

  var isEmpty: Bool { marks.isEmpty }

  mutating func add(_ ordinal: UInt64, at time: Duration) {
    if let last = marks.last, time - last.at < Self.spacing { return }
    marks.append((time, ordinal))
  }

  /// How many events before `ordinal` came within a period, or some minutes before it.
  mutating func count(upTo ordinal: UInt64, at now: Duration, within period: Duration) -> Int {
    while marks.count > 1, now - marks[1].at >= period { marks.removeFirst() }
    guard period > .zero, let first = marks.first, ordinal > first.ordinal else { return 0 }
    return Int(clamping: ordinal - first.ordinal)
  }
}

/// The ids of the newest events in `known_ids`, in the state directory: one a line, the oldest first, and a
/// checksum. Written whenever a segment is finished, since it may be deleted at once: the overlap that Box serves
/// again at the next start must be known even then. Read only where the spool itself has too few events.
enum KnownIDs {
  static let fileName = "known_ids"
  static let temporaryName = ".known_ids"

  /// More than the file has at the highest number of known ids, and their checksum.
  private static let maximumSize = 64 << 20

  /// The ids; none if the file is missing or corrupt.
  static func read(in state: DiskDirectory) throws(StoreFailure) -> [EventIdentity] {
    guard let file = try state.file(fileName, writing: false) else { return [] }
    defer { file.close() }
    let size = try file.size()
    guard size <= maximumSize else { return [] }
    let text = String(decoding: try file.bytes(in: 0..<size), as: UTF8.self)
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
