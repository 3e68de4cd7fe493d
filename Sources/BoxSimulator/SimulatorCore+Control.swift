import BoxEvents
import NIOCore
import NIOHTTP1

/// `/control/…`: how a test in another process, or a shell script with curl, controls the simulated Box.
///
/// | request | does |
/// |---|---|
/// | `POST produce?count=N[&user=U&type=T]` | new events, without `user` in every feed with a backlog |
/// | `POST append?user=U&type=T` | the body as one event, byte for byte |
/// | `POST odd?kind=K&user=U&type=T` | one unusual event |
/// | `POST large?bytes=N&user=U&type=T` | one event of this size |
/// | `POST drop-oldest?count=N&user=U&type=T` | ends retention of the oldest events |
/// | `POST expire-tokens` | revokes every access token |
/// | `POST clock?offset=SECONDS` | moves Box's clock |
/// | `POST faults?endpoint=E[&script=F,F,…][&rates=F=P,…][&clear=1]` | plans faults; rates replace the ones before |
/// | `POST release` | sends every answer that the fault `hold` keeps |
/// | `GET stats` | counts, JSON |
/// | `GET ledger?user=U&type=T[&from=I&count=N][&all=1]` | the events, one a line; `all`: also entries that are not events |
/// | `GET times?user=U&type=T` | when each was produced, CLOCK_MONOTONIC in nanoseconds, one a line |
/// | `GET requests` | method, path and query of the last requests, one a line |
/// | `GET violations` | one a line |
///
/// `user` defaults to the first user, `type` to `all`. Answers to POST are empty; 400 explains.
extension SimulatorCore {
  func control(_ request: Request) -> Answer {
    let name = String(request.path.dropFirst("/control/".count))
    let key = key(request)
    do throws(SimulatorError) {
      switch (request.method, name) {
      case (.GET, "stats"): return .json(update { $0.statistics }.json)
      case (.GET, "ledger"): return ledger(request)
      case (.GET, "times"): return lines(update { $0.feed(key).entries }.map { "\($0.producedNanoseconds)" })
      case (.GET, "requests"):
        return lines(update { $0.requests }.map { "\($0.method) \($0.path)?\($0.queryText)" })
      case (.GET, "violations"): return lines(update { $0.violations }.map(\.description))
      case (.POST, "produce") where request.query["user"] == nil:
        update { $0.produce(request.query.integer("count") ?? 1) }
      case (.POST, "produce"): change(key) { $0.produce(request.query.integer("count") ?? 1, at: $1) }
      case (.POST, "append"): change(key) { $0.append(Array(request.body.readableBytesView), at: $1) }
      case (.POST, "odd"):
        let kind: OddEvent = try choice(request.query["kind"], "an odd event")
        change(key) { $0.produceOdd(kind, at: $1) }
      case (.POST, "large"):
        change(key) { $0.produceLarge(byteCount: request.query.integer("bytes") ?? 20 << 20, at: $1) }
      case (.POST, "drop-oldest"):
        change(key) { feed, _ in feed.dropOldest(request.query.integer("count") ?? 1) }
      case (.POST, "expire-tokens"): update { $0.tokens.access = [:] }
      case (.POST, "clock"): update { $0.clock.offset = .seconds(request.query.integer("offset") ?? 0) }
      case (.POST, "release"): update { $0.releaseAnswers() }
      case (.POST, "faults"): try plan(request)
      default: return .text("unknown control: \(name)\n", status: 404)
      }
    } catch {
      return .text("\(error.explanation)\n", status: 400)
    }
    return .text("")
  }

  /// Changes one feed.
  @discardableResult
  func change<Value: Sendable>(
    _ key: FeedKey, _ change: @Sendable (inout Feed, SimulatedClock.Moment) -> Value
  ) -> Value {
    update { $0.change(key, change) }
  }

  private func plan(_ request: Request) throws(SimulatorError) {
    let endpoint: SimulatedEndpoint = try choice(request.query["endpoint"], "an endpoint")
    var script: [Fault] = []
    for text in (request.query["script"] ?? "").split(separator: ",") {
      script.append(try Fault(String(text)))
    }
    let rates = try request.query["rates"].map { text throws(SimulatorError) in try FaultRates(text) }
    update { [script] state in
      if request.query["clear"] == "1" { state.faults.scripts[endpoint] = nil }
      state.faults.scripts[endpoint, default: []] += script
      if let rates { state.faults.rates[endpoint] = rates }
    }
  }

  private func ledger(_ request: Request) -> Answer {
    let from = max(0, request.query.integer("from") ?? 0)
    let count = max(0, request.query.integer("count") ?? .max)
    let showsAll = request.query["all"] == "1"
    let chosen = update { $0.feed(self.key(request)).entries }.dropFirst(from).prefix(count)
    var body = ByteBuffer()
    for entry in chosen where showsAll || entry.isEvent {
      // Line breaks can only be between tokens: a line of the ledger contains none.
      body.writeBytes(entry.bytes.map { $0 == 10 || $0 == 13 ? 0x20 : $0 })
      body.writeInteger(UInt8(ascii: "\n"))
    }
    return Answer(headers: [("Content-Type", "application/x-ndjson")], body: body)
  }

  private func key(_ request: Request) -> FeedKey {
    options.key(user: request.query["user"], type: request.query["type"] ?? "all")
  }

  private func lines(_ lines: [String]) -> Answer { .text(lines.map { $0 + "\n" }.joined()) }

  private func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ kind: String
  ) throws(SimulatorError) -> Value {
    if let value = Value(rawValue: text ?? "") { return value }
    throw SimulatorError(
      message: "“\(text ?? "")” is not \(kind)",
      hint: "It is one of \(Value.allCases.map(\.rawValue).joined(separator: ", ")).")
  }
}
