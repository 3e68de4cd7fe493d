import BoxEvents
import NIOCore
import NIOHTTP1

/// The realtime server: its channels and the polls it holds.
struct Realtime: Sendable {
  private struct Channel {
    var feed: FeedKey
    var polls = 0
    var expires: NIODeadline
  }

  /// What happens to a poll that has arrived.
  enum Reaction {
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
    var server = JSONObjectWriter()
    func add(_ key: String, _ value: Int64) {
      server.add(key, raw: options.writesNumbers ? "\(value)" : "\"\(value)\"")
    }
    server.add("type", "realtime_server")
    server.add("url", "\(baseURL)/subscribe?channel=\(name)&stream_type=\(feed.type)")
    add("ttl", max(1, options.timeToLive.components.seconds / 60))
    add("max_retries", Int64(options.maximumPolls))
    add("retry_timeout", options.retryTimeout.components.seconds)
    return .json(#"{"chunk_size":1,"entries":[\#(server.text)]}"#)
  }

  /// Uses one poll of an open channel; refuses one that is unknown, expired or used up.
  mutating func poll(channel name: String?) -> Reaction {
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

  /// Ends a poll at its timeout or with its connection; false if it was answered already.
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

/// A long poll that waits for something new in its feed.
struct HeldPoll: Sendable {
  let feed: FeedKey
  /// Answers it; called at most once, on any thread.
  let wake: @Sendable () -> Void
}

extension SimulatorState {
  /// `GET /subscribe`: answers at once if something is newer or wrong, and holds the poll otherwise.
  mutating func poll(
    _ request: Request, fault: Fault, wake: @escaping @Sendable () -> Void
  ) -> SimulatorCore.Outcome {
    if request.headers.contains(name: "authorization") {
      record(.authorizationAtRealtime, "\(request.headers.first(name: "host") ?? "") \(request.path)")
      return .deliver(.refusal(400, "bad_request", "Authorization does not belong here"), fault)
    }
    switch realtime.poll(channel: request.query["channel"]) {
    case .answer(let answer): return .deliver(closing(answer), fault)
    case .hold(let key):
      if let position = request.query["stream_position"].flatMap({ UInt64($0) }),
        !feed(key).hasServed(position)
      {
        record(.unknownPosition, "\(position) polled, of \(key.user)/\(key.type)")
      }
      if let answer = immediateReply(request.query["stream_position"], feed(key)) {
        return .deliver(closing(answer), fault)
      }
      return .hold(realtime.hold(HeldPoll(feed: key, wake: wake)), key, fault)
    }
  }

  /// The answer to a held poll when something new has come.
  var changeReply: Answer { closing(.message(options.realtime.changeMessage)) }

  /// The answer to a held poll when nothing has come.
  var timeoutReply: Answer { closing(.message("reconnect")) }

  private func immediateReply(_ text: String?, _ feed: Feed) -> Answer? {
    // Without a position only events from now on count.
    guard let text, let position = UInt64(text), position < feed.newestPosition else { return nil }
    let newer = feed.entries.count - feed.index(of: position)
    if newer > options.realtime.outOfDateAfter { return .message("out_of_date") }
    return newer > 0 ? .message(options.realtime.changeMessage) : nil
  }

  /// The connection closes after a poll's answer, as Box's does.
  private func closing(_ answer: Answer) -> Answer {
    var answer = answer
    answer.closesConnection = true
    return answer
  }
}
