import EventDaemon
import FoundationEssentials
import Glibc
import StoppingDisk

/// The daemon with a disk that ends the process: `stopping-eventd run --config FILE` is `box-eventd run --config FILE`
/// until the operation `$STOP_AT` is reached for the `$STOP_AT_CALL`-th time. With `$ROTATE_AT_ONCE` a segment
/// that is large enough ends at once, and not only after 10 s. With `$END_WHEN_BLOCKED` the process ends as soon as
/// every stream requires operator action, and not only after an hour.
@main
struct StoppingDaemon {
  static func main() async {
    let environment = ProcessInfo.processInfo.environment
    let arguments = CommandLine.arguments
    let name = environment["STOP_AT"]
    let point = name.flatMap { StopPoint(parsing: $0) }
    guard arguments.count == 4, arguments[1...2] == ["run", "--config"], (name == nil) == (point == nil)
    else {
      end(ExitStatus.usage, "usage: [STOP_AT=POINT [STOP_AT_CALL=N]] stopping-eventd run --config FILE")
    }
    let disk = StoppingDisk(
      stoppingAt: point, count: environment["STOP_AT_CALL"].flatMap { Int($0) } ?? 1)
    do throws(DaemonFailure) {
      try await Daemon(
        configurationPath: arguments[3], environment: environment, disk: disk,
        minimumSegmentLife: environment["ROTATE_AT_ONCE"] == nil ? .seconds(10) : .zero,
        patience: environment["END_WHEN_BLOCKED"] == nil ? Daemon.patience : .zero
      ).run()
    } catch {
      end(error.exit, error.message, error.hint)
    }
  }

  private static func end(_ status: ExitStatus, _ message: String, _ hint: String? = nil) -> Never {
    let line = Array("box-eventd: \(message)\n\(hint.map { "  \($0)\n" } ?? "")".utf8)
    write(STDERR_FILENO, line, line.count)
    exit(status.rawValue)
  }
}
