/// The numbers of the feed's rules, each with its reason.
package struct FeedRules: Hashable, Sendable {
  /// User streams are polled at realtime servers, enterprise streams read at ``interval``.
  package var hasRealtimeServer: Bool
  /// How long Box keeps this stream's events.
  package var retention: Duration

  /// Between reads of a stream without realtime servers.
  package var interval = Duration.seconds(30)
  /// Between reads while no realtime server can be had: Box allows 1000 calls a minute a user, and
  /// counts every call against a licensed monthly quota.
  package var fallbackInterval = Duration.seconds(60)
  /// Between two reads that bring nothing (box-java-sdk issue 564: 3 to 5 idle calls a second).
  package var spacing = Duration.seconds(1)
  /// Empty pages in a row that each lead on, before a stream that may be behind waits for a change all the same.
  package var emptyPagesBeforeWaiting = 10
  /// The same for a stream that was caught up: at a server whose positions pass with the time, every reading ends so.
  package var emptyPagesWhenCaughtUp = 2
  /// Reads whose pages aren't full, and OPTIONS: so many at once, then one each interval. At most 236 in any minute.
  package var shortReads = 175
  package var shortReadInterval = Duration.seconds(1)
  /// Where one change follows another within this time, the next is polled for at once: whether the last read has brought
  /// everything is asked after a poll that was silent as long, or after so many.
  package var briefPoll = Duration.seconds(2)
  package var briefPolls = 10
  /// A page whose events are as recent shows that the stream is caught up, whatever is still to come.
  package var recent = Duration.seconds(60)
  /// Positions that are remembered as asked for. Only an endless row of known events with ever new positions
  /// reaches this limit.
  package static let maximumAsked = 10_000
  /// A poll answered sooner, without anything to read, is an empty wake-up. One that was held as long, and then
  /// cut off by something on the way, was idle: that is no failure.
  package var emptyWakeUpLimit = Duration.seconds(30)
  /// Box reports a change at times before it can be read: a read that brings nothing is tried again then.
  package var announcedChangeInterval = Duration.seconds(5)
  /// Empty wake-ups in a row before the next is delayed, and before realtime is suspended.
  package var emptyWakeUpsBeforeWaiting = 3
  package var emptyWakeUpsBeforeFallback = 10
  /// How long realtime is suspended then.
  package var fallbackPeriod = Duration.seconds(600)
  /// Refusals in a row before they count as lasting, and the time between attempts from then on.
  package var refusalsBeforeBlocked = 5
  package var blockedInterval = Duration.seconds(900)
  /// Between checks whether an operator has signed in again; costs no call.
  package var signInInterval = Duration.seconds(60)
  /// Between checks of a full disk.
  package var diskFullInterval = Duration.seconds(2)
  /// A quiet stream's position, and with it the time it is known to be complete, is saved this often.
  package var saveInterval = Duration.seconds(3600)
  /// Between lookbacks for events that Box has shown late; nil for no lookbacks.
  package var lookbackInterval: Duration?
  /// How many events a lookback may go back over, and how many new ones it may find. The store knows the last
  /// 10,000 ids: enough for both, and 6,500 for known events that Box serves from before the position.
  package var lookbackEvents = 2500
  package var lookbackFinds = 1000
  /// How many pages it may take: five full ones hold as many events, and some may be short.
  package var lookbackPages = 250

  /// How long each stage may take before something is wrong with this process or its disk rather than with
  /// Box: calls to Box have shorter time limits of their own.
  package var requestBudget = Duration.seconds(720)
  package var commitBudget = Duration.seconds(30)
  /// What a poll may take beyond its server's `retry_timeout`: 10 s grace, 60 s for the body.
  package var pollGrace = Duration.seconds(70)

  /// Events a page, tried in this order while pages can't be read.
  package static let limits = [ReadRequest.maximumLimit, 50, 1]

  package init(type: StreamType) {
    hasRealtimeServer = type.hasRealtimeServer
    retention = type.retention
  }
}
