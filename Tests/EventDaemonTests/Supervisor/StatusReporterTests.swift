import BoxEvents
import Synchronization
import Testing

@testable import EventDaemon
@testable import Systemd

/// What systemd gets as `STATUS=`, and when.
@Suite struct StatusReporterTests {
  /// The daemon as a test sets it, and what has been sent of it.
  private final class Observed: Sendable {
    let daemon = Mutex(Snapshots.daemon([Snapshots.stream("a", .polling)]))
    let sent = Mutex<[[Notifier.Field]]>([])

    func taken() -> [[Notifier.Field]] {
      sent.withLock { sent in
        defer { sent = [] }
        return sent
      }
    }
  }

  private let observed = Observed()
  private let reporter: StatusReporter

  init() {
    reporter = StatusReporter(
      Notifier { [observed] fields in
        observed.sent.withLock { $0.append(fields) }
      },
      snapshot: { [observed] in observed.daemon.withLock { $0 } })
  }

  private func look(at seconds: Int) -> [[Notifier.Field]] {
    reporter.sendIfDue(at: FeedInstant(sinceOrigin: .seconds(seconds)))
    return observed.taken()
  }

  @Test func countsAreSentOnlyNowAndThen() {
    #expect(look(at: 100) == [[.status("Streaming 1 stream · 0 spooled")]])
    observed.daemon.withLock { $0.streams[0].eventsTotal = 7 }
    #expect(look(at: 101) == [] && look(at: 109) == [])
    #expect(look(at: 110) == [[.status("Streaming 1 stream · 7 spooled")]])
    #expect(look(at: 120) == [])
  }

  @Test func problemsDifferencesAndStreamsAreSentAtOnce() {
    _ = look(at: 100)
    observed.daemon.withLock { $0.difference = "rejected by a reload" }
    #expect(look(at: 101).count == 1)
    observed.daemon.withLock { $0.difference = nil }
    #expect(look(at: 102).count == 1)
    observed.daemon.withLock { $0.streams.append(Snapshots.stream("b", .starting)) }
    #expect(look(at: 103) == [[.status("Streaming 2 streams · 0 spooled")]])
    observed.daemon.withLock { $0.streams[0].error = "x" }
    #expect(look(at: 104).count == 1)
    observed.daemon.withLock { $0.streams[1].error = "y" }
    #expect(look(at: 105).count == 1)
    observed.daemon.withLock { for index in $0.streams.indices { $0.streams[index].error = nil } }
    #expect(look(at: 106) == [[.status("Streaming 2 streams · 0 spooled")]])
    #expect(look(at: 107) == [])
  }

  /// Also where it is the same as before: the end of a reload may have reported a problem that is over.
  @Test func aChangeBringsTheStatusAndTheNextLookItsOutcome() {
    _ = look(at: 100)
    observed.daemon.withLock { $0.streams[0].error = "x" }
    reporter.send(with: .ready)
    #expect(
      observed.taken() == [[.ready, .status("The stream is failing: a: x (retrying) · 0 spooled")]])
    observed.daemon.withLock { $0.streams[0].error = nil }
    #expect(look(at: 101) == [[.status("Streaming 1 stream · 0 spooled")]])
  }
}
