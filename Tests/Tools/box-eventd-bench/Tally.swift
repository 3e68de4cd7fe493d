import Glibc

/// Counts the events in a spool's files by the ordinal in their ids: each once is what must be there.
struct Tally {
  /// The responder's events all have this size; in a file a line break follows.
  private static let lineSize = 1651
  /// `{"type":"event","event_id":"`, then 24 digits, then the ordinal.
  private static let ordinal = 52..<60

  private var seen: [Bool]
  private(set) var twice = 0
  private(set) var foreign = 0

  var missing: Int { seen.count { !$0 } }

  init(expecting count: Int) { seen = Array(repeating: false, count: count) }

  /// Throws unless every event of a stream is in its directory once.
  static func require(_ count: Int, in directory: String, since first: Int = 0) throws {
    var tally = Tally(expecting: count)
    let names = Files.names(directory).filter { $0.hasPrefix("events") }
    for name in names { try tally.add("\(directory)/\(name)", since: first) }
    guard tally.missing == 0, tally.twice == 0, tally.foreign == 0 else {
      throw BenchmarkError(
        "\(directory): of \(count) events \(tally.missing) are missing, \(tally.twice) are there twice, and "
          + "\(tally.foreign) lines are something else")
    }
  }

  private mutating func add(_ path: String, since first: Int) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw BenchmarkError("can't read \(path)") }
    defer { close(descriptor) }
    var lines = [UInt8](repeating: 0, count: Self.lineSize * 400)
    while true {
      let count = read(descriptor, &lines, lines.count)
      guard count > 0 else { return }
      for start in stride(from: 0, to: count, by: Self.lineSize) {
        add(lines[start..<min(count, start + Self.lineSize)], since: first)
      }
    }
  }

  private mutating func add(_ line: ArraySlice<UInt8>, since first: Int) {
    let digits = line.dropFirst(Self.ordinal.lowerBound).prefix(Self.ordinal.count)
    guard line.count == Self.lineSize, line.last == UInt8(ascii: "\n"),
      let number = Int(String(decoding: digits, as: UTF8.self), radix: 16),
      seen.indices.contains(number - first)
    else {
      foreign += 1
      return
    }
    if seen[number - first] { twice += 1 }
    seen[number - first] = true
  }
}
