import Logging
import Testing

@testable import EventDaemon

@Suite struct CommandTextTests {
  private let instance = CommandText(configurationPath: "/etc/box-eventd/a.toml")

  @Test(arguments: [
    ("Run: box-eventd login.", "Run: box-eventd login --config /etc/box-eventd/a.toml."),
    (
      "Stop box-eventd, then run: box-eventd position set STREAM now. A gap is recorded.",
      "Stop box-eventd, then run: box-eventd position set --config /etc/box-eventd/a.toml s now. A gap is recorded."
    ),
    ("Run: box-eventd check --config /c.", "Run: box-eventd check --config /c."),
    ("Try box-eventd check --online.", "Try box-eventd check --config /etc/box-eventd/a.toml --online."),
    (
      "Run: systemctl reload box-eventd. See: box-eventd status.",
      "Run: systemctl reload box-eventd@a. See: box-eventd status --config /etc/box-eventd/a.toml."
    ),
    (
      "Undo the change, then run systemctl restart box-eventd: the stream goes on where it was. If the configuration was "
        + "wrong before: systemctl stop box-eventd, then run: box-eventd position set default POSITION, where POSITION is now, oldest or a position.",
      "Undo the change, then run systemctl restart box-eventd@a: the stream goes on where it was. If the configuration "
        + "was wrong before: systemctl stop box-eventd@a, then run: box-eventd position set --config "
        + "/etc/box-eventd/a.toml default POSITION, where POSITION is now, oldest or a position."
    ),
    ("Run: systemctl restart box-eventd@a.", "Run: systemctl restart box-eventd@a."),
    ("Start box-eventd: it checks. box-eventd position", "Start box-eventd: it checks. box-eventd position"),
    ("box-eventd", "box-eventd"), ("", ""), ("box-eventd  position set", "box-eventd  position set"),
  ])
  func completesTheCommandsOfAnInstance(text: String, expected: String) {
    #expect(instance.complete(text, stream: "s") == expected)
    // Twice is once.
    #expect(instance.complete(expected, stream: "s") == expected)
  }

  @Test func theDefaultNeedsNoOption() {
    let commands = CommandText(configurationPath: Configuration.defaultPath)
    #expect(commands.complete("Run: box-eventd login.") == "Run: box-eventd login.")
    #expect(commands.complete("box-eventd position show STREAM.") == "box-eventd position show STREAM.")
    #expect(
      commands.complete("box-eventd position show STREAM.", stream: "s") == "box-eventd position show s.")
  }

  @Test func completesTheHintOfALogLine() {
    let completed = instance.complete([
      "stream": "s", "hint": "Run: box-eventd position show STREAM.", "a": "b",
    ])
    #expect(
      completed == [
        "stream": "s", "a": "b",
        "hint": "Run: box-eventd position show --config /etc/box-eventd/a.toml s.",
      ])
    #expect(instance.complete(["detail": "Run: box-eventd login."]) == ["detail": "Run: box-eventd login."])
  }

  @Test func completesAFailureAndItsProblems() {
    var failure = DaemonFailure(.signIn, "no login", hint: "Run: box-eventd login.")
    failure.problems = [.init("no login", hint: "Run: box-eventd check.")]
    let completed = instance.complete(failure)
    #expect(completed.hint == "Run: box-eventd login --config /etc/box-eventd/a.toml.")
    #expect(completed.problems[0].hint == "Run: box-eventd check --config /etc/box-eventd/a.toml.")
  }
}
