extension SimulatorOptions {
  /// How events are stored and paged.
  package struct Feed: Sendable {
    /// What an empty page carries as its next position.
    package enum EmptyPagePosition: String, Sendable, CaseIterable {
      case newest
      case zero
      case lower
    }

    /// Events before the asked position that an answer serves again. At most a quarter of `limit`,
    /// so that reading always goes on; see ``stallingOverlap``.
    package var overlap = 5
    /// Events the position of a full or unfinished page stands behind its last event, on purpose.
    /// At most a quarter of `limit`.
    package var stepBack = 5
    /// Of 100 entries, how many are served a second time in the same page.
    package var duplicatePercent = 2.0
    /// Of 100 pages with more waiting, how many are cut short.
    package var shortPagePercent = 10.0
    /// Of 100 pages with more waiting, how many are empty.
    package var emptyPagePercent = 0.0
    /// Every n-th event of a batch appears behind the newest, as one that arrived late; 0 for none.
    /// Keep ``overlap`` at 5 or more with it, or a reader can't see them.
    package var lateEvery = 0
    /// How far `created_at` may run backwards from one event to the next, in seconds.
    package var disorderSeconds = 3
    /// Events before the position served again without regard to `limit`: with `limit` or more of
    /// them, no page reaches anything new and the position stays. Nil for a feed that goes on.
    package var stallingOverlap: Int?
    /// User streams write positions as JSON strings; enterprise streams always do.
    package var positionsAsStrings = false
    package var emptyPagePosition = EmptyPagePosition.newest
    /// `chunk_size` differs from the number of entries.
    package var liesAboutChunkSize = true
    /// Newest events that are kept for reading; older positions get what is left, without an error.
    package var retainedEvents = Int.max
    /// Bytes of an ordinary event.
    package var eventSizes = 1100...1650
    /// Every n-th produced event is one of ``oddEvents``, in turn; 0 for none.
    package var oddEvery = 0
    package var oddEvents = OddEvent.everyday

    package init() {}

    /// A feed without surprises: no overlap, duplicates or short pages. For benchmarks, and for
    /// tests of something else.
    package static var exact: Feed {
      var feed = Feed()
      feed.overlap = 0
      feed.stepBack = 0
      feed.duplicatePercent = 0
      feed.shortPagePercent = 0
      feed.disorderSeconds = 0
      feed.liesAboutChunkSize = false
      return feed
    }
  }
}
