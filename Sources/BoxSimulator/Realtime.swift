import NIOCore

/// The realtime server: its channels and the polls it holds.
struct Realtime: Sendable {
  private struct Channel {
    var feed: FeedKey
    var polls = 0
    var expires: NIODeadline
  }

  /// What becomes of a poll that has arrived.
  enum Verdict {
    case answer(Answer)
    case hold(FeedKey)
  }

  let options: SimulatorOptions.Realtime
  private var channels: [String: Channel] = [:]
  private var held: [FeedKey: [UInt64: HeldPoll]] = [:]
  private var lastPoll: UInt64 = 0
  private(set) var heldCount = 0
  private var random: SplitMix64

  init(options: SimulatorOptions.Realtime, seed: UInt64) {
    self.options = options
    random = SplitMix64(seed: seed, name: "channels")
  }

  /// Opens a channel for a feed and answers OPTIONS with it.
  mutating func open(_ feed: FeedKey, baseURL: String) -> Answer {
    if channels.count >= 10_000 { channels = channels.filter { $0.value.expires > .now() } }
    let name = String(random.next(), radix: 16) + String(random.next(), radix: 16)
    channels[name] = Channel(feed: feed, expires: .now() + TimeAmount(options.timeToLive))
    let quote = options.writesNumbers ? "" : "\""
    func number(_ value: Int64) -> String { "\(quote)\(value)\(quote)" }
    let server = JSONWriter.object([
      "type": "\"realtime_server\"",
      "url": JSONWriter.string("\(baseURL)/subscribe?channel=\(name)&stream_type=\(feed.type)"),
      "ttl": number(max(1, options.timeToLive.components.seconds / 60)),
      "max_retries": number(Int64(options.maximumPolls)),
      "retry_timeout": number(options.retryTimeout.components.seconds),
    ])
    return .json(#"{"chunk_size":1,"entries":[\#(server)]}"#)
  }

  /// The feed of a channel that is still open, one poll used; otherwise how the poll is refused.
  mutating func poll(channel name: String?) -> Verdict {
    guard let name, var channel = channels[name], channel.expires > .now() else {
      return .answer(.message("reconnect"))
    }
    channel.polls += 1
    channels[name] = channel
    if channel.polls > options.maximumPolls {
      switch options.exhaustion {
      case .message: return .answer(.message("max_retries"))
      case .status(let status): return .answer(.message("max_retries", status: status))
      }
    }
    return .hold(channel.feed)
  }

  mutating func hold(_ poll: HeldPoll) -> UInt64 {
    lastPoll += 1
    held[poll.feed, default: [:]][lastPoll] = poll
    heldCount += 1
    return lastPoll
  }

  /// Ends a poll at its time-out or with its connection; false if it was woken already.
  mutating func release(_ id: UInt64, of feed: FeedKey) -> Bool {
    guard held[feed]?.removeValue(forKey: id) != nil else { return false }
    if held[feed]?.isEmpty == true { held[feed] = nil }
    heldCount -= 1
    return true
  }

  /// Takes every poll that waits for this feed.
  mutating func takeAll(of feed: FeedKey) -> [HeldPoll] {
    guard let polls = held.removeValue(forKey: feed) else { return [] }
    heldCount -= polls.count
    return Array(polls.values)
  }
}
