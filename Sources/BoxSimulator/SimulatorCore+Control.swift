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
    do throws(SimulatorError) {
      switch (request.method, name) {
      case (.GET, "stats"): return .json(update { $0.statistics }.json)
      case (.GET, "ledger"): return ledger(request)
      case (.GET, "times"):
        return lines(update { $0.feed(self.key(request)).entries }.map { "\($0.producedNanoseconds)" })
      case (.GET, "requests"):
        return lines(update { $0.requests }.map { "\($0.method) \($0.path)?\($0.query)" })
      case (.GET, "violations"): return lines(update { $0.violations }.map(\.description))
      case (.POST, _): return try change(name, request)
      default: return .text("unknown control: \(name)\n", status: 404)
      }
    } catch {
      return .text("\(error.explanation)\n", status: 400)
    }
  }

  private func change(_ name: String, _ request: Request) throws(SimulatorError) -> Answer {
    let key = key(request)
    switch name {
    case "produce":
      let (count, isEverywhere) = (request.query.integer("count") ?? 1, request.query["user"] == nil)
      update { state in
        if isEverywhere {
          state.produce(count)
        } else {
          state.change(key) { $0.produce(count, at: $1) }
        }
      }
    case "append":
      let bytes = Array(request.body.readableBytesView)
      update { $0.change(key) { $0.append(bytes, at: $1) } }
    case "odd":
      guard let kind = OddEvent(rawValue: request.query["kind"] ?? "") else {
        throw SimulatorError(
          "“\(request.query["kind"] ?? "")” is not an odd event",
          hint: "It is one of \(OddEvent.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      update { $0.change(key) { $0.produceOdd(kind, at: $1) } }
    case "large":
      let size = request.query.integer("bytes") ?? 20 << 20
      update { $0.change(key) { $0.produceLarge(byteCount: size, at: $1) } }
    case "drop-oldest":
      let count = request.query.integer("count") ?? 1
      update { $0.change(key) { feed, _ in feed.dropOldest(count) } }
    case "expire-tokens": update { $0.tokens.revokeAll() }
    case "clock":
      let offset = request.query.integer("offset") ?? 0
      update { $0.clock.offset = .seconds(offset) }
    case "faults": try plan(request)
    default: return .text("unknown control: \(name)\n", status: 404)
    }
    return .text("")
  }

  private func plan(_ request: Request) throws(SimulatorError) {
    guard let endpoint = SimulatedEndpoint(rawValue: request.query["endpoint"] ?? "") else {
      throw SimulatorError(
        "“\(request.query["endpoint"] ?? "")” is not an endpoint",
        hint: "It is one of \(SimulatedEndpoint.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    var script: [Fault] = []
    for text in (request.query["script"] ?? "").split(separator: ",") {
      script.append(try Fault(String(text)))
    }
    let rates = try request.query["rates"].map { text throws(SimulatorError) in try FaultRates(text) }
    let clears = request.query["clear"] == "1"
    update { [script] state in
      if clears { state.faults.clear(endpoint) }
      state.faults.script(endpoint, script)
      if let rates { state.faults.rates[endpoint] = rates }
    }
  }

  private func ledger(_ request: Request) -> Answer {
    let entries = update { $0.feed(self.key(request)).entries }
    let from = min(entries.count, max(0, request.query.integer("from") ?? 0))
    let count = min(entries.count - from, max(0, request.query.integer("count") ?? .max))
    let showsAll = request.query["all"] == "1"
    let chosen = entries[from..<(from + count)].filter { showsAll || $0.isEvent }
    var body = ByteBufferAllocator().buffer(capacity: chosen.reduce(0) { $0 + $1.bytes.count + 1 })
    for entry in chosen {
      // Line breaks can only be between tokens: a line of the ledger contains none.
      if entry.bytes.contains(where: { $0 == 10 || $0 == 13 }) {
        body.writeBytes(entry.bytes.map { $0 == 10 || $0 == 13 ? 0x20 : $0 })
      } else {
        body.writeBytes(entry.bytes)
      }
      body.writeInteger(UInt8(ascii: "\n"))
    }
    return Answer(headers: [("Content-Type", "application/x-ndjson")], body: body)
  }

  private func key(_ request: Request) -> FeedKey {
    let type = request.query["type"] ?? "all"
    return options.key(user: request.query["user"], type: type)
  }

  private func lines(_ lines: [String]) -> Answer { .text(lines.map { $0 + "\n" }.joined()) }
}
