import Testing

@testable import EventDaemon

/// A command in a shell finds the directories of an instance of the unit template by its file's name.
@Suite struct InstanceDirectoriesTests {
  @Test func namesThoseOfTheTemplate() {
    #expect(
      Configuration.instanceEnvironment(of: "/etc/box-eventd/work.toml") == [
        "SPOOL_DIRECTORY": "/var/spool/box-eventd@work",
        "STATE_DIRECTORY": "/var/lib/box-eventd@work",
        "RUNTIME_DIRECTORY": "/run/box-eventd@work",
      ])
  }

  @Test(arguments: [
    "/etc/box-eventd/box-eventd.toml", "/etc/box-eventd/.toml", "/etc/box-eventd/work", "work.toml",
    "/etc/box-eventd/deeper/work.toml", "/srv/box-eventd/work.toml",
  ])
  func leavesOtherFilesAlone(path: String) {
    #expect(Configuration.instanceEnvironment(of: path).isEmpty)
  }
}
