/// How much each part does.
struct Scale {
  let rounds: Int
  let events: Int
  /// Two calls an event, and a start: the daemon reads at most 175 pages that aren't full without a pause, to stay
  /// below Box's limit of 1,000 calls a minute and user.
  let singles: Int
  let quietSeconds: Double
  let quietSecondsOfMany: Double
  let streams: [Int]
  /// While they are spread over many streams.
  let spreadSeconds: Int
  let growth: Int
  let verifiedBytes: Int

  init(_ options: Benchmark) {
    let isQuick = options.quick
    rounds = options.rounds ?? (isQuick ? 1 : 3)
    events = options.events ?? (isQuick ? 2000 : 200_000)
    singles = isQuick ? 5 : 70
    quietSeconds = isQuick ? 0.5 : 20
    quietSecondsOfMany = isQuick ? 0.5 : 10
    streams = !options.streams.isEmpty ? options.streams : isQuick ? [20] : [1000, 10_000]
    spreadSeconds = isQuick ? 1 : 10
    growth = options.growth ?? (isQuick ? 20_000 : 5_000_000)
    verifiedBytes = options.verify ?? (isQuick ? 2_000_000 : 500_000_000)
  }
}
