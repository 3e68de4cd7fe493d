/// The numbers of the feed's rules, each with its reason.
public struct FeedRules: Hashable, Sendable {
  /// User streams are polled at realtime servers, enterprise streams read at ``interval``.
  public var hasRealtimeServer: Bool
  /// How long Box keeps this stream's events.
  public var retention: Duration

  /// Between reads of a stream without realtime servers.
  public var interval = Duration.seconds(30)
  /// Between reads while no realtime server can be had: Box allows 1000 calls a minute a user, and
  /// counts every call against a licensed monthly quota.
  public var fallbackInterval = Duration.seconds(60)
  /// Between two reads that bring nothing (box-java-sdk issue 564: 3 to 5 idle calls a second).
  public var spacing = Duration.seconds(1)
  /// Empty pages in a row that each lead on, before the stream is listened to all the same: at a server whose
  /// positions pass with the time it would never be caught up, and be read once a second for ever.
  public var emptyPagesBeforeWaiting = 10
  /// Positions that are remembered as asked for. Far above what an overlap has; only an endless row of known
  /// events with ever new positions gets there.
  public static let maximumAsked = 10_000
  /// A poll answered sooner, without anything to read, is an empty wake-up.
  public var emptyWakeUpLimit = Duration.seconds(30)
  /// Empty wake-ups in a row before the next is delayed, and before realtime is given up for a while.
  public var emptyWakeUpsBeforeWaiting = 3
  public var emptyWakeUpsBeforeFallback = 10
  /// How long realtime is given up then.
  public var fallbackPeriod = Duration.seconds(600)
  /// Refusals in a row before they count as lasting, and the time between attempts from then on.
  public var refusalsBeforeBlocked = 5
  public var blockedInterval = Duration.seconds(900)
  /// Such attempts, an hour of them, before the stream is given up to a person.
  public var attemptsWhileBlocked = 4
  /// Between looks whether a person has signed in again; costs no call.
  public var signInInterval = Duration.seconds(60)
  /// Between looks at a full disk.
  public var diskFullInterval = Duration.seconds(2)
  /// A quiet stream's position, and with it the time it is known to be complete, is saved this often.
  public var saveInterval = Duration.seconds(3600)
  /// Between lookback for events that Box has shown late; nil for none.
  public var lookbackInterval: Duration?
  /// How many events such a look may go back over, and how many it may find: both are known by their ids
  /// with room to spare in a window of 10,000, however far before a position Box begins.
  public var lookbackEvents = 2500
  public var lookbackFinds = 1000
  /// How many pages it may take: five full ones have as many events, and some may be short.
  public var lookbackPages = 250

  /// How long each stage may take before something is wrong with this process rather than with Box:
  /// the stages give themselves up sooner.
  public var requestBudget = Duration.seconds(720)
  public var commitBudget = Duration.seconds(30)
  /// What a poll may take beyond its server's `retry_timeout`: 10 s grace, 60 s for the body.
  public var pollGrace = Duration.seconds(70)

  /// Events a page, tried in this order while pages can't be read.
  public static let limits = [ReadRequest.maximumLimit, 50, 1]

  public init(type: StreamType) {
    hasRealtimeServer = type.hasRealtimeServer
    retention = type.retention
  }
}
