import Testing

@testable import EventDaemon

@Suite struct TOMLDocumentTests {
  @Test func findsLinesOfKeysInEveryForm() {
    let lines = TOMLKeyLines(
      #"""
      # a = 1
      top = "x" # [not]
      "quoted.key" = 1
      a.b = 'it"s'
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
    "", "a = \"", "a = \"\"\"", "a = [", "a = [[1], # b", "a = '", "a = '''", "a=\"\\", "a = { b = [",
  ])
  func endsInUnfinishedValue(text: String) {
    #expect(TOMLKeyLines(text).line(of: ["nothing"]) == nil)
    #expect(TOMLKeyLines("first = 1\n" + text).line(of: ["first"]) == 1)
  }

  @Test func countsLinesInListsAndComments() {
    let lines = TOMLKeyLines(
      #"""
      [box]
      realtime_hosts = [ # first
        "a", # key = "none"
        "b = 1",
      ]
      max_page = "1" # "
      ca_file = "/x"
      [[stream]]
      name = """
        type = { a = 1 }
        """
      type = "all"
      """#)
    #expect(lines.line(of: ["box", "realtime_hosts"]) == 2)
    #expect(lines.line(of: ["box", "max_page"]) == 6)
    #expect(lines.line(of: ["box", "ca_file"]) == 7)
    #expect(lines.line(of: ["stream", "0", "type"]) == 12)
  }

  @Test func findsNoLinesAfterValueOfThousandLines() {
    let text = "[box]\nlist = [\n" + String(repeating: "1,\n", count: 1_000) + "]\nlast = 1\n"
    #expect(TOMLKeyLines(text).line(of: ["box", "last"]) == 1)
    #expect(TOMLKeyLines(text.replacing("1,\n", with: "1,")).line(of: ["box", "last"]) == 4)
  }

  /// The parser works on such a key for minutes, or overflows its stack.
  @Test(arguments: ["", "[", "x = { y.", "x = '' \n"]) func refusesEndlessKeys(start: String) {
    for count in [65, 1_000, 50_000] {
      let lines = TOMLKeyLines("[box]\n" + start + String(repeating: "a.", count: count) + "a = 1\n")
      #expect(lines.refused?.line == (start.contains("\n") ? 3 : 2))
    }
    let hosts = String(repeating: "\"*.a.b.c\", ", count: 100)
    let comment = "# \(hosts.replacing("\"", with: ""))\n"
    let text = "[box]\n\(comment)realtime_hosts = [\(hosts)]\na.b.c = '\(hosts)'\n"
    #expect(TOMLKeyLines(text).refused == nil)
  }

  @Test func countsLinesThatEndWithCarriageReturn() {
    let lines = TOMLKeyLines("[box]\r\n# a\r\nlist = [\r\n1]\r\nlast = 1\r\n")
    #expect(lines.line(of: ["box", "list"]) == 3)
    #expect(lines.line(of: ["box", "last"]) == 5)
  }
}
