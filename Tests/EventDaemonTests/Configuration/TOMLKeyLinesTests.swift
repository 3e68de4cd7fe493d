import Testing

@testable import EventDaemon

@Suite struct TOMLKeyLinesTests {
  @Test func linesOfKeysInEveryShape() {
    let lines = TOMLKeyLines(
      #"""
      # a = 1
      top = "x" # [not]
      "quoted.key" = 1
      a.b = 'it''s'
      long = """
      fake = 1
      [fake]
      """
      raw = '''
      fake = 2 '''
      list = [ # with [brackets]
        "a]", # and = signs
        { c = 1 },
      ]
      [table]
      key = { inner = 1 }
      [ table . "sub" ]
      key = 1
      [[stream]]
      name = "a"
      [[stream]]

      name = "b"
      """#)
    #expect(lines.line(of: ["top"]) == 2)
    #expect(lines.line(of: ["quoted.key"]) == 3)
    #expect(lines.line(of: ["a", "b"]) == 4)
    #expect(lines.line(of: ["long"]) == 5)
    #expect(lines.line(of: ["raw"]) == 9)
    #expect(lines.line(of: ["list"]) == 11)
    #expect(lines.line(of: ["fake"]) == nil)
    #expect(lines.line(of: ["table"]) == 15)
    #expect(lines.line(of: ["table", "key"]) == 16)
    #expect(lines.line(of: ["table", "key", "inner"]) == 16)
    #expect(lines.line(of: ["table", "sub", "key"]) == 18)
    #expect(lines.line(of: ["stream", "0", "name"]) == 20)
    #expect(lines.line(of: ["stream", "1"]) == 21)
    #expect(lines.line(of: ["stream", "1", "name"]) == 23)
  }

  @Test(arguments: [
    "", "[", "[[", "\"", "a = \"", "a = \"\"\"", "a = [", "= ", "'", "a = \\", "[\"", "a=\"\\",
  ])
  func ends(text: String) {
    #expect(TOMLKeyLines(text).line(of: ["nothing"]) == nil)
  }
}
