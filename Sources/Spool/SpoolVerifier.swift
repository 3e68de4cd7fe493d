package import BoxEvents

/// Checks that one stream's spool is intact: every line an event, no ordinal missing, no id twice, and the
/// position file in agreement. Only reads, and may run beside the daemon: what the daemon has appended since
/// the position was read is not checked.
package struct SpoolVerifier: Sendable {
  /// What was found.
  package struct Report: Hashable, Sendable {
    package var segments = 0
    package var events: UInt64 = 0
    package var bytes: UInt64 = 0
    /// The first thing that is wrong; nothing after it was checked.
    package var problem: Problem?
    /// What is unusual and allowed, one message each.
    package var notes: [String] = []
  }

  /// Something wrong, and where.
  package struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// The file's name in the stream's directory.
    package var file: String
    /// Counted from 1; 0 where it concerns the entire file.
    package var line: UInt64
    /// Where that line begins.
    package var offset: Int
    package var message: String

    /// Without a line or a byte that isn't there.
    package var description: String {
      let place = [file, line > 0 ? "line \(line)" : nil, line > 0 || offset > 0 ? "byte \(offset)" : nil]
      return "\(place.compactMap(\.self).joined(separator: ", ")): \(message)"
    }
  }

  private let spool: DiskDirectory
  private let state: DiskDirectory?

  /// - Parameters:
  ///   - spool: `/var/spool/box-eventd/<stream>`.
  ///   - state: `/var/lib/box-eventd/<stream>`; nil without permission for it: the position isn't compared.
  package init(spool: DiskDirectory, state: DiskDirectory?) {
    self.spool = spool
    self.state = state
  }

  /// - Throws: what kept it from reading; what it has found is in the report.
  package func verify() throws(StoreFailure) -> Report {
    // First the record, then the spool: what comes after the record is not older than it.
    let record: PositionRecord? = if let state { try .saved(in: state) } else { nil }
    let ordinals = try spool.segments()
    var walk = Walk(record: record, evidence: try Evidence(spool))
    for (index, ordinal) in ordinals.enumerated() where walk.report.problem == nil {
      let isNewest = index + 1 == ordinals.count
      do throws(StoreFailure) {
        guard let file = try spool.file(SegmentName.text(ordinal), writing: false) else { continue }
        defer { file.close() }
        try walk.enter(file, ordinal: ordinal, isNewest: isNewest)
      } catch {
        guard !isNewest, error.isOfOneFile else { throw error }
        walk.passOver(ordinal, error)
      }
    }
    walk.end()
    return walk.report
  }
}

extension SpoolVerifier {
  /// One pass over the segments, in order.
  private struct Walk {
    let record: PositionRecord?
    let evidence: Evidence
    var report = Report()
    var ids = DuplicateWindow(capacity: .max)
    /// Those that the daemon knows in any case.
    var recentIDs = DuplicateWindow(capacity: SpoolLimits().knownEvents)
    /// Old events that Box served once more.
    var repetitions = 0
    /// The ordinal at which the segment before has ended.
    var expected: UInt64?
    var sawRecorded = false

    mutating func enter(_ file: DiskFile, ordinal: UInt64, isNewest: Bool) throws(StoreFailure) {
      let name = SegmentName.text(ordinal)
      if let expected, expected != ordinal { checkHole(name, from: expected, to: ordinal) }
      guard report.problem == nil else { return }
      let size = try file.size()
      var place = (line: UInt64(0), offset: 0)
      let end = try file.forEachLine(in: 0..<size) { line, offset throws(StoreFailure) in
        checkRecord(name, ordinal: ordinal + place.line, segment: ordinal, offset: offset)
        place = (place.line + 1, offset)
        check(line, name, place)
        return report.problem == nil
      }
      guard report.problem == nil else { return }
      checkRecord(name, ordinal: ordinal + place.line, segment: ordinal, offset: end)
      if end < size {
        checkPartialLine(name, (place.line + 1, end), bytes: size - end, isNewest, segment: ordinal)
      }
      report.segments += 1
      report.events += place.line
      report.bytes += UInt64(end)
      expected = ordinal + place.line
    }

    /// Nothing is known of what comes between this segment and the one before.
    mutating func passOver(_ ordinal: UInt64, _ failure: StoreFailure) {
      let name = SegmentName.text(ordinal)
      report.notes.append("\(name) can't be read and was not checked: \(failure.message)")
      expected = nil
      if record?.segment == ordinal { sawRecorded = true }
    }

    mutating func end() {
      if repetitions > 0 {
        report.notes.append(
          "\(repetitions) old \(repetitions == 1 ? "event is" : "events are") there again: Box served "
            + "\(repetitions == 1 ? "it" : "them") once more, after \(SpoolLimits().knownEvents) others or later"
        )
      }
      guard report.problem == nil, let record, record.offset > 0, !sawRecorded else { return }
      // A finished segment may have been deleted, and newer ones may have come since the record was read.
      if let expected, expected > record.ordinal { return }
      fail(
        SegmentName.text(record.segment), (0, record.offset),
        "the position file records \(record.offset) durable bytes, which are missing")
    }

    private mutating func check(_ line: UnsafeRawBufferPointer, _ name: String, _ place: (UInt64, Int)) {
      guard let id = EventLine.identity(of: line) else {
        return fail(name, place, "not a JSON object in UTF-8")
      }
      let (isKnown, isNew) = (!recentIDs.insert(id), ids.insert(id))
      if isKnown { fail(name, place, "an event with this id is in the spool already") }
      if !isKnown, !isNew { repetitions += 1 }
    }

    /// The record's offset must be the end of a line, and of the line that its ordinal counts.
    private mutating func checkRecord(_ name: String, ordinal: UInt64, segment: UInt64, offset: Int) {
      guard let record, record.segment == segment, record.offset <= offset, !sawRecorded else { return }
      sawRecorded = true
      if record.offset == offset, record.ordinal == ordinal { return }
      fail(
        name, (0, record.offset),
        "the position file records \(record.ordinal) events up to here, "
          + "the spool has \(ordinal) up to \(offset)")
    }

    private mutating func checkPartialLine(
      _ name: String, _ place: (UInt64, Int), bytes: Int, _ isNewest: Bool, segment: UInt64
    ) {
      if isNewest, record.map({ segment != $0.segment || place.1 >= $0.offset }) ?? true {
        report.notes.append("\(name) ends with a partial line of \(bytes) bytes that was not acknowledged")
      } else {
        fail(name, place, "a partial line of \(bytes) bytes")
      }
    }

    private mutating func checkHole(_ name: String, from expected: UInt64, to ordinal: UInt64) {
      let events =
        expected + 1 == ordinal ? "event \(expected) is" : "events \(expected) to \(ordinal &- 1) are"
      if ordinal < expected {
        fail(name, (0, 0), "begins at \(ordinal), but the segment before goes on to \(expected)")
      } else if evidence.gaps.contains(ordinal) {
        report.notes.append("\(events) missing: a recorded gap")
      } else if evidence.begun.contains(expected) {
        report.notes.append("\(events) gone with segments that were deleted or moved")
      } else if let unread = evidence.unread {
        report.notes.append(
          "\(events) missing, and \(unread), which may record why, can't be read: unpack it here and verify again"
        )
      } else {
        fail(name, (0, 0), "\(events) missing")
      }
    }

    private mutating func fail(_ file: String, _ place: (UInt64, Int), _ message: String) {
      report.problem = Problem(file: file, line: place.0, offset: place.1, message: message)
    }
  }
}
