import Synchronization
import Testing

@testable import Systemd

struct WatchdogTests {
  /// One watchdog, a health that the test sets, and what the watchdog did.
  private final class Subject: Sendable {
    let clock = ManualClock()
    let pings = Recorder<[Notifier.Field]>()
    let reports = Recorder<Watchdog.Report>()
    let health = Mutex(Watchdog.Health.healthy)

    func start() -> Task<Void, Never> {
      let notifier = Notifier { [pings] fields in pings.record(fields) }
      return Task {
        await Watchdog.run(interval: .seconds(120), notifier: notifier, clock: clock) {
          self.health.withLock { $0 }
        } report: {
          self.reports.record($0)
        }
      }
    }

    func become(_ new: Watchdog.Health) {
      health.withLock { $0 = new }
    }
  }

  @Test(.timeLimit(.minutes(10))) func pingsAtOnceAndThenAtHalfTheInterval() async {
    let subject = Subject()
    let running = subject.start()
    #expect(await subject.clock.nextSleep() == .seconds(60))
    #expect(subject.pings.values == [[.watchdog]])
    subject.clock.wake()
    #expect(await subject.clock.nextSleep() == .seconds(60))
    #expect(subject.pings.values == [[.watchdog], [.watchdog]])
    running.cancel()
    await running.value
  }

  @Test(.timeLimit(.minutes(10))) func fallsSilentOnceSomethingIsOverdue() async {
    let subject = Subject()
    let running = subject.start()
    _ = await subject.clock.nextSleep()
    subject.become(.overdue("default: a sync has run for 61 s"))
    subject.clock.wake()
    #expect(await subject.clock.nextSleep() == .seconds(15))
    subject.clock.wake()
    #expect(await subject.clock.nextSleep() == .seconds(15))
    #expect(subject.pings.values == [[.watchdog]])
    #expect(subject.reports.values == [.withheld("default: a sync has run for 61 s")])
    running.cancel()
    await running.value
  }

  @Test(.timeLimit(.minutes(10))) func goesOnAfterARecovery() async {
    let subject = Subject()
    subject.become(.overdue("starting"))
    let running = subject.start()
    _ = await subject.clock.nextSleep()
    #expect(subject.pings.values.isEmpty)
    subject.become(.healthy)
    subject.clock.wake()
    #expect(await subject.clock.nextSleep() == .seconds(60))
    #expect(subject.pings.values == [[.watchdog]])
    #expect(subject.reports.values == [.withheld("starting"), .resumed])
    running.cancel()
    await running.value
  }

  @Test(.timeLimit(.minutes(10))) func cancellationEndsItInTheMiddleOfAPause() async {
    let subject = Subject()
    let running = subject.start()
    _ = await subject.clock.nextSleep()
    running.cancel()
    await running.value
    #expect(subject.pings.values == [[.watchdog]])
  }
}
