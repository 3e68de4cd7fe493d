/// A point of the store's work where something can go wrong: which of its calls is under way, what it
/// does to the disk, and to which file.
struct Stage: Hashable, Sendable, CustomStringConvertible {
  /// The store's calls.
  enum Phase: Int, Sendable, CaseIterable {
    case recovery, begin, deduplicate, commit, save, gap, freeSpace, close
    /// Any of these, from where it recovers the spool again.
    case reopening
  }

  enum Operation: Int, Sendable, CaseIterable {
    case open, create, makeDirectory, list, read, write, truncate, sync, link, rename, remove
    /// Calls that are counted and never fail: `fstat`, `fchmod`, `readlink`, `statvfs`.
    case look

    var changes: Bool {
      switch self {
      case .create, .makeDirectory, .write, .truncate, .sync, .link, .rename, .remove: true
      case .open, .list, .read, .look: false
      }
    }
  }

  enum Place: Int, Sendable, CaseIterable {
    case root, directory, events, segments, gaps, quarantine, position, knownIDs, aside, current, mark

    /// By a name in a stream's directories.
    init(_ name: String) {
      if name.hasPrefix("events-") {
        self = .events
      } else if name.hasPrefix("aside-") {
        self = .aside
      } else {
        switch name {
        case "segments.ndjson": self = .segments
        case "gaps.ndjson": self = .gaps
        case "quarantine.ndjson": self = .quarantine
        case "stream_position": self = .position
        case "known_ids", ".known_ids": self = .knownIDs
        case "current", ".current": self = .current
        case ".durable": self = .mark
        default: self = .directory
        }
      }
    }
  }

  var phase: Phase
  var operation: Operation
  var place: Place

  /// A number for each stage, below ``count``.
  var code: Int {
    (phase.rawValue * Operation.allCases.count + operation.rawValue) * Place.allCases.count + place.rawValue
  }

  var description: String { "\(phase) \(operation) \(place)" }
}
