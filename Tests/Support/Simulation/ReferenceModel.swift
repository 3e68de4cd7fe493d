import BoxEvents
import Glibc
import TestDisks

/// What must be in the spool, computed from what Box has served and nothing else.
///
/// It reads the disk's bytes by itself. Unguarded, as ``SimulatedDisk`` is.
final class ReferenceModel: @unchecked Sendable {
  struct State: Sendable {
    /// The lines that are acknowledged, in their order, and where each begins.
    var spool: [UInt8] = []
    var offsets: [Int] = []
    /// The item of each line.
    var order: [Int] = []
    /// Items whose line is acknowledged; entries that aren't events, once they are quarantined.
    var known: Set<Int> = []
    /// Items that an accident has deleted from the spool.
    var removed: Set<Int> = []
    /// The page served last, and, while a commit is under way, what it has to append.
    var page: [(item: Int, line: [UInt8])] = []
    var inFlight: [(item: Int, line: [UInt8])] = []
    /// A page has been served that showed all there was, and nothing unknown, since the last unknown item.
    var isCaughtUp = false
    /// Every line that was ever about to be written: a partial one begins like one of them.
    var attempted: Set<[UInt8]> = []
    /// Events up to this position came before the stream began.
    var begun: UInt64?
    /// Segments that begin below this ordinal may have been shortened by an accident.
    var shortenedBelow = 0
    /// How many there were, the gaps of that kind when the last recovery ended, and whether another one is due.
    var shortenings = 0
    var shortenedGaps = 0
    var awaitsShortenedGap = false
    var expectedGaps: Set<String> = []
    /// This run has got Box's time; and something has been stored since, so that the time outlives the run.
    var hasHeardTime = false
    var hasStoredTime = false
    /// Nothing ran for longer than Box keeps events, and no recovery has come since.
    var isAwaitingAbsence = false
  }

  var state = State()
  private(set) var failures: [String] = []
  let stream: String
  /// Finished segments may be deleted by the limits.
  let prunes: Bool

  private let trace: Trace

  init(stream: String, prunes: Bool, trace: Trace) {
    self.stream = stream
    self.trace = trace
    self.prunes = prunes
  }

  func take(over other: ReferenceModel) {
    state = other.state
    failures = other.failures
  }

  func fail(_ message: String) {
    trace.add("FAILED: \(message)")
    failures.append(message)
  }

  // MARK: What happens

  func served(_ page: BoxWorld.Page, _ world: BoxWorld) {
    state.page = page.items
    if page.isDated { state.hasHeardTime = true }
    // An unusual entry that an earlier run has written becomes known only after its page has been served.
    if page.items.contains(where: { !world.items[$0.item].isOdd && !state.known.contains($0.item) }) {
      state.isCaughtUp = false
    } else if !page.hasMore {
      state.isCaughtUp = true
    }
  }

  /// A new process knows nothing of what was served before.
  func started() { (state.isCaughtUp, state.hasHeardTime) = (false, false) }

  /// The daemon stops reading and waits for Box to report a change.
  func waitsForChange() {
    if !state.isCaughtUp { fail("the daemon waits for a change before it is caught up") }
  }

  /// A commit of the page served last begins.
  func committing(_ world: BoxWorld) {
    var seen = state.known
    state.inFlight = []
    for (item, line) in state.page where !world.items[item].isOdd && seen.insert(item).inserted {
      state.inFlight.append((item, line))
      state.attempted.insert(line)
    }
  }

  func committed(_ committed: Committed, _ image: DiskImage) {
    dropRemembered(image.segments(of: stream))
    if committed.events != state.inFlight.count {
      fail("a commit of \(state.inFlight.count) events reports \(committed.events)")
    }
    for (item, line) in state.inFlight { acknowledge(item, line) }
    state.inFlight = []
    if state.hasHeardTime { state.hasStoredTime = true }
    if committed.ordinal != UInt64(state.order.count) {
      fail("the ordinal after a commit is \(committed.ordinal), not \(state.order.count)")
    }
  }

  /// What an accident has deleted may be remembered all the same, by its id: then it doesn't come again.
  private func dropRemembered(_ segments: [(ordinal: Int, bytes: [UInt8])]) {
    let gone = state.inFlight.filter { item, line in
      state.removed.contains(item)
        && !segments.contains { Bytes.count(Bytes.text(line), in: $0.bytes) > 0 }
    }
    for (item, _) in gone { state.known.insert(item) }
    let items = Set(gone.map(\.item))
    state.inFlight.removeAll { items.contains($0.item) }
  }

  private func acknowledge(_ item: Int, _ line: [UInt8]) {
    state.offsets.append(state.spool.count)
    state.order.append(item)
    state.known.insert(item)
    state.spool += line
    state.spool.append(0x0A)
  }

  // MARK: After a crash, before the recovery

  /// Nothing that was acknowledged is gone.
  func crashed(_ image: DiskImage) {
    let segments = image.segments(of: stream)
    _ = rest(of: segments, isRecovered: false, "after the crash")
    announced(segments, in: image)
  }

  /// Every segment with an event has its line in `segments.ndjson`.
  private func announced(_ segments: [(ordinal: Int, bytes: [UInt8])], in image: DiskImage) {
    let log = image.file("segments.ndjson", in: DiskImage.spoolRoot, stream: stream) ?? []
    for segment in segments where !segment.bytes.isEmpty {
      if Bytes.count("{\"ordinal\":\(segment.ordinal),", in: log) == 0 {
        fail("segment \(segment.ordinal) is not in segments.ndjson")
      }
    }
  }

  // MARK: After a recovery

  func recovered(_ recovery: Recovery, _ image: DiskImage, _ world: BoxWorld) {
    takeTail(rest(of: image.segments(of: stream), isRecovered: true, "after the recovery"))
    state.inFlight = []
    // What is counted is durable, whatever an earlier sync has reported.
    _ = rest(of: image.segments(of: stream, durable: true), isRecovered: false, "durably after the recovery")
    if recovery.ordinal != UInt64(state.order.count) {
      fail("the recovery's ordinal is \(recovery.ordinal), not \(state.order.count)")
    }
    let gaps = image.file("gaps.ndjson", in: DiskImage.spoolRoot, stream: stream) ?? []
    // A power cut may have left something else at the end.
    let recorded = gaps.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
      .count { JSONDocument(Array($0)) != nil }
    if recovery.recordedGaps != recorded {
      fail("the recovery counts \(recovery.recordedGaps) gaps, the file \(recorded)")
    }
    let shortened = Bytes.count("\"cause\":\"spool-shortened\"", in: gaps)
    if state.awaitsShortenedGap, shortened <= state.shortenedGaps {
      fail("the spool was shortened \(state.shortenings) times, with \(shortened) gaps")
    }
    (state.shortenedGaps, state.awaitsShortenedGap) = (shortened, false)
    if state.isAwaitingAbsence {
      state.isAwaitingAbsence = false
      // Without a single answer with Box's time nothing is known to be missing.
      if recovery.checkpoint?.continuousAt != nil || state.hasStoredTime {
        state.expectedGaps.insert("retention")
      }
    }
    guard let checkpoint = recovery.checkpoint else {
      if !state.order.isEmpty { fail("the recovery takes a stream with events for a new one") }
      state.begun = nil
      return
    }
    begin(at: checkpoint.position)
    check(checkpoint.position, image, world)
  }

  func begin(at position: ReadPosition) {
    guard state.begun == nil else { return }
    state.begun = Self.key(of: position)
  }

  /// A position is never ahead of the spool.
  func check(_ position: ReadPosition, _ image: DiskImage, _ world: BoxWorld) {
    let key = Self.key(of: position)
    for (index, item) in world.items.enumerated() where item.key <= key && isRequired(index, world) {
      if !isKnown(index, image, world) { fail("position \(position) is ahead of item \(index)") }
    }
  }

  /// Takes over what a recovery has kept of a commit that was under way.
  private func takeTail(_ tail: ArraySlice<UInt8>?) {
    guard var tail else { return }
    while let newline = tail.firstIndex(of: 0x0A) {
      let line = Array(tail[..<newline])
      // What someone has deleted may be remembered all the same.
      while let next = state.inFlight.first, next.line != line, state.removed.contains(next.item) {
        state.inFlight.removeFirst()
      }
      guard let next = state.inFlight.first, next.line == line else {
        return fail("the recovery keeps a line that was not on its way: \(Bytes.text(line))")
      }
      state.inFlight.removeFirst()
      acknowledge(next.item, next.line)
      tail = tail[(newline + 1)...]
    }
    if !tail.isEmpty, !state.attempted.contains(where: { $0.starts(with: tail) }) {
      fail("bytes at the end that are not a line: \(Bytes.text(Array(tail)))")
    }
  }

  /// Odd entries are known from the moment they are durable, also if their commit has not returned.
  private func isKnown(_ index: Int, _ image: DiskImage, _ world: BoxWorld) -> Bool {
    if state.known.contains(index) { return true }
    guard world.items[index].isOdd,
      let log = image.file("quarantine.ndjson", in: DiskImage.spoolRoot, stream: stream, durable: true),
      Self.count(world.items[index], in: log) > 0
    else { return false }
    state.known.insert(index)
    return true
  }

  private static func count(_ odd: BoxItem, in log: [UInt8]) -> Int {
    Bytes.count("\"entry\":\"\(Bytes.text(odd.line).replacing("\"", with: "\\\""))\"}", in: log)
  }

  // MARK: At the end

  func finished(_ image: DiskImage, _ world: BoxWorld) {
    takeTail(rest(of: image.segments(of: stream), isRecovered: true, "at the end"))
    for index in world.items.indices where isRequired(index, world) && !isKnown(index, image, world) {
      fail("item \(index) is missing")
    }
    let quarantine = image.file("quarantine.ndjson", in: DiskImage.spoolRoot, stream: stream) ?? []
    for index in world.items.indices where world.items[index].isOdd && state.known.contains(index) {
      let count = Self.count(world.items[index], in: quarantine)
      if count != 1 { fail("odd item \(index) is quarantined \(count) times") }
    }
    checkGaps(image.file("gaps.ndjson", in: DiskImage.spoolRoot, stream: stream) ?? [])
  }

  private func checkGaps(_ log: [UInt8]) {
    for cause in Gap.Cause.allCases {
      let count = Bytes.count("\"cause\":\"\(cause.rawValue)\"", in: log)
      let most = [.retention: 1, .spoolShortened: state.shortenings][cause] ?? Int.max
      if count > most { fail("the gap “\(cause.rawValue)” is recorded \(count) times") }
      let isThere = count > 0
      let isExpected = state.expectedGaps.contains(cause.rawValue)
      if isThere != isExpected {
        fail(isThere ? "a gap “\(cause.rawValue)” without a break" : "no gap “\(cause.rawValue)”")
      }
    }
  }

  /// Items that appeared before what had been read, and were found all the same.
  func found(_ world: BoxWorld) -> Int { state.known.count { world.items[$0].isHidden } }

  /// Everything that can be had is in the spool.
  func isComplete(_ image: DiskImage, _ world: BoxWorld) -> Bool {
    guard world.isQuiet, state.begun != nil, state.inFlight.isEmpty else { return false }
    for index in world.items.indices where isRequired(index, world) {
      if !isKnown(index, image, world) { return false }
    }
    return true
  }

  private func isRequired(_ index: Int, _ world: BoxWorld) -> Bool {
    let item = world.items[index]
    return !item.isForgotten && !item.isHidden && item.key > state.begun ?? 0
      && !state.removed.contains(index)
  }

  // MARK: Comparing

  /// The bytes after the acknowledged lines; nil after a failure. The segments must hold these lines,
  /// byte for byte, each under its ordinal.
  private func rest(
    of segments: [(ordinal: Int, bytes: [UInt8])], isRecovered: Bool, _ when: String
  ) -> ArraySlice<UInt8>? {
    let count = state.order.count
    if let first = segments.first, first.ordinal > state.shortenedBelow, !prunes {
      fail("the first segment is \(first.ordinal) \(when)")
      return nil
    }
    if segments.isEmpty, count > state.shortenedBelow {
      fail("no segment is left of \(count) events \(when)")
      return nil
    }
    var rest: ArraySlice<UInt8> = []
    for (index, segment) in segments.enumerated() {
      let isLast = index + 1 == segments.count
      guard segment.ordinal <= count else {
        fail("segment \(segment.ordinal) \(when), with \(count) events")
        return nil
      }
      let start = offset(of: segment.ordinal)
      let end = isLast ? state.spool.count : offset(of: min(count, segments[index + 1].ordinal))
      let isShortened = segment.ordinal < state.shortenedBelow
      let length = min(segment.bytes.count, end - start)
      guard Bytes.areEqual(segment.bytes, state.spool, at: start, count: length),
        length == end - start || isShortened || prunes
      else {
        fail("segment \(segment.ordinal) has not the bytes of its events \(when)")
        return nil
      }
      if isLast {
        rest = segment.bytes[length...]
      } else if segment.bytes.count > length, isRecovered {
        fail("segment \(segment.ordinal) has more than its events \(when)")
        return nil
      }
    }
    return rest
  }

  private func offset(of ordinal: Int) -> Int {
    ordinal < state.offsets.count ? state.offsets[ordinal] : state.spool.count
  }

  private static func key(of position: ReadPosition) -> UInt64 {
    if case .at(let position) = position { UInt64(position.digits) ?? 0 } else { 0 }
  }
}

/// Comparisons that are quick even in a debug build.
enum Bytes {
  static func areEqual(_ left: [UInt8], _ right: [UInt8], at offset: Int, count: Int) -> Bool {
    guard count > 0 else { return true }
    return left.withUnsafeBytes { left in
      right.withUnsafeBytes { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return false }
        return memcmp(left, right + offset, count) == 0
      }
    }
  }

  /// How often the bytes contain a text.
  static func count(_ text: String, in bytes: [UInt8]) -> Int {
    let wanted = Array(text.utf8)
    return bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      var (count, from) = (0, 0)
      while from + wanted.count <= bytes.count,
        let found = memchr(base + from, Int32(wanted[0]), bytes.count - from - wanted.count + 1)
      {
        from = UnsafeRawPointer(found) - base
        let isThere = memcmp(base + from, wanted, wanted.count) == 0
        count += isThere ? 1 : 0
        from += isThere ? wanted.count : 1
      }
      return count
    }
  }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension ReferenceModel {
  /// An accident has cut the newest segment; what is gone is unknown to the daemon, and may come again.
  func shortened(toSegment ordinal: Int, lines: Int) {
    state.expectedGaps.insert("spool-shortened")
    state.shortenings += 1
    state.awaitsShortenedGap = true
    state.shortenedBelow = state.order.count
    for item in state.order[(ordinal + lines)...] {
      state.known.remove(item)
      state.removed.insert(item)
    }
  }
}
