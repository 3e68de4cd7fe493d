/// What a power cut leaves.
///
/// Each sector that differs from the medium comes out old, new, or partial at a byte, either way round; the
/// file's size is the old one, the new one or one in between, so that what was appended and is not there
/// reads as zeros. Each change of a directory since its sync is kept or lost by itself. All of it
/// independent between sectors, files and directories: nothing is in order that no sync has put in order.
extension DiskImage {
  /// - Parameter staleness: bytes appended to a segment may come back as other, older bytes.
  package mutating func losePower(_ choices: inout Choices, staleness: Bool = false) {
    for index in nodes.indices {
      if nodes[index].isDirectory {
        loseEntries(index, &choices)
      } else if nodes[index].mayDiffer {
        loseBytes(index, &choices, staleness: staleness)
      }
    }
  }

  private mutating func loseEntries(_ index: Int, _ choices: inout Choices) {
    guard !nodes[index].changes.isEmpty else { return }
    var entries = nodes[index].durableEntries
    for change in nodes[index].changes where choices.pick(2) == 0 {
      Self.apply(change, to: &entries)
    }
    for case .node(let file) in entries.values { nodes[file].links = 1 }
    nodes[index].entries = entries
    nodes[index].durableEntries = entries
    nodes[index].changes = []
  }

  private mutating func loseBytes(_ index: Int, _ choices: inout Choices, staleness: Bool) {
    let (new, old) = (nodes[index].bytes, nodes[index].durable)
    let size = Self.size(new.count, old.count, &choices)
    var result = Self.part(old, 0..<size)
    for start in stride(from: 0, to: size, by: sectorSize) {
      let range = start..<min(size, start + sectorSize)
      let (mine, theirs) = (Self.part(new, range), Self.part(old, range))
      guard mine != theirs else { continue }
      let isAfter = start >= old.count && staleness && nodes[index].isSegment
      let sector = Self.sector(new: mine, old: theirs, &choices, stale: isAfter ? new : [])
      result.replaceSubrange(range, with: sector)
    }
    nodes[index].bytes = result
    nodes[index].durable = result
    nodes[index].sectors = [UInt8](repeating: Sector.clean, count: (size + sectorSize - 1) / sectorSize)
    nodes[index].mayDiffer = false
  }

  private static func size(_ new: Int, _ old: Int, _ choices: inout Choices) -> Int {
    guard new != old else { return new }
    switch choices.pick(3) {
    case 0: return new
    case 1: return old
    default: return min(new, old) + choices.split(max(new, old) - min(new, old))
    }
  }

  private static func sector(
    new: [UInt8], old: [UInt8], _ choices: inout Choices, stale: [UInt8]
  ) -> [UInt8] {
    switch choices.pick(stale.isEmpty ? 4 : 5) {
    case 0: return new
    case 1: return old
    case 2:
      let split = choices.split(new.count)
      return Array(new[..<split] + old[split...])
    case 3:
      let split = choices.split(new.count)
      return Array(old[..<split] + new[split...])
    default:
      return part(stale, 0..<new.count)
    }
  }

  /// A range's bytes, zeros after the end.
  private static func part(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
    let there = bytes[min(range.lowerBound, bytes.count)..<min(range.upperBound, bytes.count)]
    return Array(there) + [UInt8](repeating: 0, count: range.count - there.count)
  }
}
