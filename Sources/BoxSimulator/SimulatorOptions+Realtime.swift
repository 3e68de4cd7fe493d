extension SimulatorOptions {
  /// How the realtime server behaves.
  package struct Realtime: Sendable {
    /// How a poll beyond ``maximumPolls`` is refused.
    package enum Exhaustion: Sendable, Hashable {
      /// Status 200 with the message `max_retries`.
      case message
      /// This status with the same body.
      case status(Int)
    }

    /// How long a poll is held before it is told to `reconnect`.
    package var hold = Duration.seconds(600)
    /// Whole minutes are told to the client.
    package var timeToLive = Duration.seconds(10 * 60)
    package var maximumPolls = 10
    package var retryTimeout = Duration.seconds(610)
    /// `ttl` and its neighbours as JSON numbers instead of strings.
    package var writesNumbers = false
    package var exhaustion = Exhaustion.message
    /// `new_change` as documented, or `new_message` as some tokenRegistry see.
    package var changeMessage = "new_change"
    /// Events a polled position may be behind the newest before the answer is `out_of_date`.
    package var outOfDateAfter = Int.max
    /// The connection closes after a poll's answer, as Box's does.
    package var closesConnection = true

    package init() {}
  }
}
