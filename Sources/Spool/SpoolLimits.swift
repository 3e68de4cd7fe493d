/// The numbers of `[spool]` that one stream's spool obeys.
package struct SpoolLimits: Hashable, Sendable {
  /// A new segment is begun once the newest has this many bytes …
  package var segmentSize = 64 << 20
  /// … or this age, when the next event is written.
  package var segmentAge = Duration.seconds(86_400)
  /// But not sooner after the last: whoever follows `current` looks every few seconds.
  package var minimumSegmentLife = Duration.seconds(10)
  /// Below this many free bytes nothing more is read.
  package var keepFree: UInt64 = 256 << 20
  /// The oldest finished segments go when all together have more bytes than this; 0 keeps everything.
  package var maxSize = 0
  /// A finished segment goes when its last event is older than this; zero keeps everything.
  package var maxAge = Duration.zero
  /// How many of the newest events are known by their ids.
  package var knownEvents = 10_000

  package init() {}
}
