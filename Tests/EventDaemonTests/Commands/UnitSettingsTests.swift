import Testing

@testable import EventDaemon

@Suite struct UnitSettingsTests {
  private static let text = """
    LoadState=loaded
    User=box-eventd
    MainPID=812
    ProtectSystem=strict
    ReadWritePaths=-/var/spool/box-eventd -/run/box-eventd /srv/more
    StateDirectory=box-eventd

    """

  @Test func readsTheAnswerOfSystemctl() throws {
    let unit = try #require(UnitSettings(parsing: Self.text))
    #expect(unit.user == "box-eventd" && unit.mainPID == 812)
    #expect(UnitSettings(parsing: Self.text.replacing("=loaded", with: "=not-found")) == nil)
    #expect(UnitSettings(parsing: "") == nil)
    let other = try #require(UnitSettings(parsing: "LoadState=loaded\nUser=\nMainPID=\n=\nx"))
    #expect(other.user == nil && other.mainPID == 0)
  }

  @Test(arguments: [
    ("/var/spool/box-eventd", true), ("/var/lib/box-eventd", true), ("/srv/more/events", true),
    ("/srv/more", true), ("/srv/moreover", false), ("/srv", false), ("/var/spool/box-eventd2", false),
  ])
  func knowsWhatTheSandboxLeavesOpen(path: String, isOpen: Bool) throws {
    #expect(try #require(UnitSettings(parsing: Self.text)).canWrite(to: path) == isOpen)
    let full = Self.text.replacing("=strict", with: "=full")
    #expect(try #require(UnitSettings(parsing: full)).canWrite(to: path))
  }

  @Test func runsAProgram() {
    #expect(UnitSettings.output(of: ["sh", "-c", "echo a; echo b >&2"], within: 60_000) == "a\n")
    #expect(UnitSettings.output(of: ["sh", "-c", "echo a; exit 1"], within: 60_000) == nil)
    #expect(UnitSettings.output(of: ["sh", "-c", "echo a; exec sleep 600"], within: 10) == nil)
    #expect(UnitSettings.output(of: ["/nonexistent/systemctl"], within: 60_000) == nil)
    #expect(UnitSettings(ofConfiguration: "/tmp/box-eventd.toml") == nil)
  }
}
