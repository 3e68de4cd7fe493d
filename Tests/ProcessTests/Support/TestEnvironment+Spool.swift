import BoxSimulator
import Glibc
import TestSystem
import Testing

/// The spool against what the simulator served.
extension TestEnvironment {
  /// The spool's segments, one after the other.
  func spool(_ stream: String = "default") -> [UInt8] {
    let directory = "\(root)/spool/\(stream)"
    return directoryNames(directory).filter { $0.hasPrefix("events-") }.reduce(into: []) { bytes, name in
      bytes += readFile("\(directory)/\(name)")
    }
  }

  /// The bytes in the spool, without reading them.
  func spoolSize(_ stream: String = "default") -> Int {
    let directory = "\(root)/spool/\(stream)"
    return directoryNames(directory).filter { $0.hasPrefix("events-") }.reduce(0) { size, name in
      size + (FileFacts("\(directory)/\(name)")?.size ?? 0)
    }
  }

  /// What the spool of a stream must hold.
  func ledger(user: String? = nil) -> [UInt8] {
    simulator.ledger(user: user).reduce(into: []) { bytes, event in
      bytes += event
      bytes.append(10)
    }
  }

  /// Waits until a stream's spool is as large as what was produced.
  func drained(_ stream: String = "default", user: String? = nil, within limit: Duration = .seconds(120))
    async throws
  {
    let wanted = ledger(user: user).count
    try await eventually(
      "\(wanted) bytes of \(stream), got \(spoolSize(stream)); \(log.suffix(2000))", within: limit
    ) {
      spoolSize(stream) >= wanted
    }
  }

  /// Expects every event once, byte for byte, in the order served.
  func expectIntact(
    _ stream: String = "default", user: String? = nil, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (spooled, served) = (spool(stream), ledger(user: user))
    guard !spooled.isSame(as: served) else { return }
    let tally = Tally(served: served.lines, spooled: spooled.lines)
    let note = comment.map { "\($0); " } ?? ""
    Issue.record("\(note)\(stream): \(tally)", sourceLocation: sourceLocation)
  }
}

/// What differs between a spool and what was served.
struct Tally: CustomStringConvertible {
  var served: Int
  var spooled: Int
  var missing: Int
  var twice: Int
  var foreign: Int

  init(served: [ArraySlice<UInt8>], spooled: [ArraySlice<UInt8>]) {
    let (wanted, present) = (Set(served), Set(spooled))
    self.served = served.count
    self.spooled = spooled.count
    missing = wanted.subtracting(present).count
    twice = spooled.count - present.count
    foreign = present.subtracting(wanted).count
  }

  var description: String {
    "served \(served), spooled \(spooled), missing \(missing), twice \(twice), never served \(foreign)"
      + (missing + twice + foreign == 0 ? ", in another order" : "")
  }
}
