import BoxEvents

/// A feed of numbered events with overlapping pages. The event `i` is what a page from position
/// `base + i` begins with, less the overlap.
struct SimulatedBox {
  var total: Int
  var limit = 5
  var overlap = 2
  /// Index of the event after which an entry that isn't an event is served.
  var oddAfter = 3
  private let base = 1_152_922_976_252_290_000

  static func line(_ index: Int) -> String {
    let padding = String(repeating: "x", count: index % 7 * 40)
    return #"{"type":"event","event_id":"id-\#(index)","n":9007199254740993,"p":"\#(padding)"}"#
  }

  func position(_ index: Int) -> ReadPosition {
    index == 0 ? .oldest : StreamPosition(String(base + index)).map { .at($0) } ?? .oldest
  }

  func index(_ position: ReadPosition) -> Int {
    guard case .at(let at) = position, let number = Int(at.digits) else { return 0 }
    return number - base
  }

  func page(from position: ReadPosition) throws -> EventPage {
    let start = index(position)
    let first = max(0, start - overlap)
    let last = min(total, start + limit)
    var lines = (first..<last).map { Array(Self.line($0).utf8) }
    if (first..<last).contains(oddAfter) { lines.append(Array(#""odd""#.utf8)) }
    if let repeated = lines.first { lines.append(repeated) }
    guard case .at(let next) = self.position(max(1, last)) else {
      return try EventPage(lines: lines, nextPosition: nil)
    }
    return try EventPage(lines: lines, nextPosition: next)
  }
}
