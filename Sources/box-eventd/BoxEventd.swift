import ArgumentParser
import EventDaemon

/// The command `box-eventd`: one subcommand a file.
@main
struct BoxEventd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "box-eventd",
    abstract: "Keeps a Box account's event stream flowing into files.",
    discussion: """
      box-eventd long-polls Box, appends every event to a spool directory as a line of JSON, and \
      remembers its place. Nothing is lost, nothing comes twice, and it is never silently stuck.

      Set it up in /etc/box-eventd/box-eventd.toml, try it with `box-eventd check --online`, and \
      start it with `systemctl enable --now box-eventd`.
      """,
    version: Version.current,
    subcommands: [
      RunCommand.self, CheckCommand.self, StatusCommand.self, TailCommand.self, VerifyCommand.self,
      PositionCommand.self,
      LoginCommand.self, DemoCommand.self, SimulateCommand.self,
    ])

  static func main() async {
    StandardOutput.reserveDescriptors()
    await main(nil)
  }
}
