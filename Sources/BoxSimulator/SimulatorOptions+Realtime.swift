extension SimulatorOptions {
  /// How the realtime server behaves.
  public struct Realtime: Sendable {
    /// How a poll beyond ``maximumPolls`` is refused.
    public enum Exhaustion: Sendable, Hashable {
      /// Status 200 with the message `max_retries`.
      case message
      /// This status with the same body.
      case status(Int)
    }

    /// How long a poll is held before it is told to `reconnect`.
    public var hold = Duration.seconds(600)
    /// Whole minutes are told to the client.
    public var timeToLive = Duration.seconds(10 * 60)
    public var maximumPolls = 10
    public var retryTimeout = Duration.seconds(610)
    /// `ttl` and its neighbours as JSON numbers instead of strings.
    public var writesNumbers = false
    public var exhaustion = Exhaustion.message
    /// `new_change` as documented, or `new_message` as some tokenRegistry see.
    public var changeMessage = "new_change"
    /// Events a polled position may be behind the newest before the answer is `out_of_date`.
    public var outOfDateAfter = Int.max
    /// The connection closes after a poll's answer, as Box's does.
    public var closesConnection = true

    public init() {}
  }
}
