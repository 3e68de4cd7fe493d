/// A line of a spool file, seen from outside: what recovery and verification ask of it.
package enum EventLine {
  /// Who the event on this line is, or nil if the line is no event: not one valid JSON object.
  /// - Parameter line: the line without its newline.
  package static func identity(of line: UnsafeRawBufferPointer) -> EventIdentity? {
    guard line.first == UInt8(ascii: "{") else { return nil }
    var scanner = JSONScanner(line)
    guard let members = try? EventMembers(&scanner, line), scanner.index == line.count,
      !scanner.sawLineBreak
    else { return nil }
    return members.id.map { JSONText.identity(line, $0) } ?? EventIdentity(line: line)
  }
}
