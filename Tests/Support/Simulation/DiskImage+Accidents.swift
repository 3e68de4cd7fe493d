import TestDisks

/// What people do to the files of a stopped daemon.
extension DiskImage {
  /// The position file is deleted, or overwritten with rubbish. False if it is missing.
  mutating func losePosition(_ stream: String, isDeleted: Bool) -> Bool {
    guard let directory = find(stream, in: Self.stateRoot, durable: false),
      let index = find("stream_position", in: directory, durable: false)
    else { return false }
    if isDeleted {
      nodes[directory].entries["stream_position"] = nil
      nodes[directory].durableEntries["stream_position"] = nil
      nodes[directory].changes = []
      nodes[directory].durableEntries = nodes[directory].entries
    } else {
      let rubbish = [UInt8](repeating: UInt8(ascii: "?"), count: 8192)
      (nodes[index].bytes, nodes[index].durable) = (rubbish, rubbish)
      nodes[index].sectors = [UInt8](repeating: Sector.clean, count: (8192 + sectorSize - 1) / sectorSize)
    }
    return true
  }

  /// The newest segment is deleted or cut. Nil if it is empty, or has more than complete lines.
  /// - Returns: the segment's ordinal, and how many of its lines are left.
  mutating func shortenSpool(
    _ stream: String, below count: Int, _ choices: inout Choices
  ) -> (segment: Int, lines: Int)? {
    guard let newest = segments(of: stream).last, newest.ordinal < count, newest.bytes.last == 0x0A,
      let directory = find(stream, in: Self.spoolRoot, durable: false)
    else { return nil }
    let number = String(newest.ordinal)
    let name = "events-" + String(repeating: "0", count: 16 - number.count) + number + ".ndjson"
    guard let index = find(name, in: directory, durable: false) else { return nil }
    if choices.chance(30) {
      nodes[directory].entries[name] = nil
      nodes[directory].durableEntries = nodes[directory].entries
      nodes[directory].changes = []
      return (newest.ordinal, 0)
    }
    let size = choices.pick(newest.bytes.count)
    let rest = Array(newest.bytes[..<size])
    (nodes[index].bytes, nodes[index].durable) = (rest, rest)
    nodes[index].sectors = [UInt8](repeating: Sector.clean, count: (size + sectorSize - 1) / sectorSize)
    return (newest.ordinal, rest.count { $0 == 0x0A })
  }
}
