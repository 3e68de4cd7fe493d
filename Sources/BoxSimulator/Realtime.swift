import BoxEvents
import NIOCore
import NIOHTTP1

/// The realtime server: its channels and the polls it holds.
struct Realtime: Sendable {
  /// Answers a held poll; called at most once, on any thread.
  typealias Wake = @Sendable () -> Void

  struct Channel {
    var feed: FeedKey
    var polls = 0
    var expires: NIODeadline
  }

  let options: SimulatorOptions.Realtime
  private var channels: [String: Channel] = [:]
  private var held: [FeedKey: [UInt64: Wake]] = [:]
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
    func number(_ value: Int64) -> String { options.writesNumbers ? "\(value)" : "\"\(value)\"" }
    return .json(
      #"{"chunk_size":1,"entries":[{"type":"realtime_server","#
        + #""url":"\#(baseURL)/subscribe?channel=\#(name)&stream_type=\#(feed.type)","#
        + #""ttl":\#(number(max(1, options.timeToLive.components.seconds / 60))),"#
        + #""max_retries":\#(number(Int64(options.maximumPolls))),"#
        + #""retry_timeout":\#(number(options.retryTimeout.components.seconds))}]}"#)
  }

  /// The channel with one more poll; nil if it is unknown or expired.
  mutating func countPoll(of name: String) -> Channel? {
    guard let channel = channels[name], channel.expires > .now() else { return nil }
    channels[name]?.polls += 1
    return channels[name]
  }

  /// - Returns: what ``release(_:of:)`` needs.
  mutating func hold(_ feed: FeedKey, _ wake: @escaping Wake) -> UInt64 {
    lastPoll += 1
    held[feed, default: [:]][lastPoll] = wake
    heldCount += 1
    return lastPoll
  }

  /// Ends a poll at its timeout or with its connection; false if it was answered already.
  mutating func release(_ id: UInt64, of feed: FeedKey) -> Bool {
    guard held[feed]?.removeValue(forKey: id) != nil else { return false }
    heldCount -= 1
    return true
  }

  /// Takes every poll that waits for this feed.
  mutating func takeAll(of feed: FeedKey) -> [Wake] {
    let polls = held.removeValue(forKey: feed) ?? [:]
    heldCount -= polls.count
    return Array(polls.values)
  }
}

extension SimulatorState {
  /// `GET /subscribe`: answers at once if something is newer or wrong, and holds the poll otherwise.
  mutating func poll(
    _ request: Request, fault: Fault, wake: @escaping Realtime.Wake
  ) throws(Refusal) -> SimulatorCore.Outcome {
    if request.header("authorization") != nil {
      record(.authorizationAtRealtime, "\(request.header("host") ?? "") \(request.path)")
      throw .badRequest("Authorization does not belong here")
    }
    guard let channel = realtime.countPoll(of: request.query["channel"] ?? "") else {
      return .deliver(.message("reconnect"), fault)
    }
    guard channel.polls <= options.realtime.maximumPolls else {
      return .deliver(.message("max_retries", status: options.realtime.exhaustionStatus), fault)
    }
    // Without a position only events from now on count.
    if let position = request.query["stream_position"].flatMap({ UInt64($0) }) {
      checkPosition(position, of: channel.feed, "polled, of")
      let feed = feed(channel.feed)
      let newer = feed.entries.count - feed.index(of: position)
      if newer > options.realtime.outOfDateAfter { return .deliver(.message("out_of_date"), fault) }
      if newer > 0 { return .deliver(.message(options.realtime.changeMessage), fault) }
    }
    return .hold(realtime.hold(channel.feed, wake), channel.feed, fault)
  }
}
