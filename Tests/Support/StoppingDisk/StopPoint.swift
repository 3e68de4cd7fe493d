/// A moment at which a process stops itself dead: what is done to which file, and how far that has come.
///
/// By name, for example `write-events:half`: a write to a segment, of which half is done.
package struct StopPoint: Hashable, Sendable {
  /// What a ``Disk`` does that leaves something behind.
  package enum Operation: String, Hashable, Sendable, CaseIterable {
    case make
    case create
    case write
    case truncate
    case synchronize = "sync"
    case link
    case rename
    case remove
  }

  /// The files and directories that are told apart.
  package enum Target: String, Hashable, Sendable, CaseIterable {
    /// The directories of the configuration, and a stream's directories in them.
    case spool
    case state
    case streamSpool = "stream-spool"
    case streamState = "stream-state"
    case lock
    case events
    case current
    case segments
    case gaps
    case quarantine
    case position = "stream_position"
    case knownIDs = "known_ids"
    case aside
    case refreshToken = "refresh_token"
  }

  package enum Moment: String, Hashable, Sendable, CaseIterable {
    case before
    /// Of a write, half of its text.
    case half
    case after
  }

  package var operation: Operation
  package var target: Target
  package var moment: Moment

  package var name: String { "\(operation.rawValue)-\(target.rawValue):\(moment.rawValue)" }

  package init(_ operation: Operation, _ target: Target, _ moment: Moment) {
    self.operation = operation
    self.target = target
    self.moment = moment
  }

  /// Nil unless it is the name of one of ``all``.
  package init?(parsing name: some StringProtocol) {
    guard let point = Self.all.first(where: { $0.name == name }) else { return nil }
    self = point
  }

  /// Every point the daemon passes: a table of its operations, by file.
  package static let all: [StopPoint] = operations.flatMap { target, operations in
    operations.flatMap { operation in
      Moment.allCases.filter { operation == .write || $0 != .half }.map { StopPoint(operation, target, $0) }
    }
  }

  private static let operations: [(Target, [Operation])] = [
    (.spool, [.synchronize]),
    (.state, [.synchronize]),
    (.streamSpool, [.make, .synchronize]),
    (.streamState, [.make, .synchronize]),
    (.lock, [.create, .write, .truncate]),
    (.events, [.create, .write, .synchronize, .truncate, .remove]),
    (.current, [.remove, .link, .rename]),
    (.segments, [.create, .write, .synchronize, .truncate]),
    (.gaps, [.create, .write, .synchronize]),
    (.quarantine, [.create, .write, .synchronize]),
    (.position, [.create, .write, .synchronize, .truncate]),
    (.knownIDs, [.create, .truncate, .write, .synchronize, .rename]),
    (.aside, [.create, .write, .truncate, .synchronize, .remove]),
    (.refreshToken, [.write, .synchronize]),
  ]
}

extension StopPoint: CustomStringConvertible {
  package var description: String { name }
}

extension StopPoint.Target {
  /// What a name in a stream's directory, or in the state directory, is a name of.
  init?(fileName: String) {
    switch fileName {
    case ".lock": self = .lock
    case "current", ".current": self = .current
    case "segments.ndjson": self = .segments
    case "gaps.ndjson": self = .gaps
    case "quarantine.ndjson": self = .quarantine
    case "stream_position": self = .position
    case "known_ids", ".known_ids": self = .knownIDs
    case "refresh_token": self = .refreshToken
    case _ where fileName.hasPrefix("events-"): self = .events
    case _ where fileName.hasPrefix("aside-"): self = .aside
    default: return nil
    }
  }
}
