import Testing

/// A page split into its entries by a minimal parser, independent of the one under test.
struct TestPage {
  /// The text between the colon and the comma, quotes included.
  var position: String
  var chunkSize: String
  var entries: [[UInt8]] = []

  /// The digits of the position.
  var next: String { position.filter { $0 != "\"" } }

  init?(_ body: [UInt8]) {
    let text = String(decoding: body.prefix(300), as: UTF8.self)
    guard
      let head = text.firstMatch(of: #/^\{"chunk_size":(\d+),"next_stream_position":("?\d+"?),"entries":\[/#),
      body.suffix(2) == Array("]}".utf8)
    else { return nil }
    chunkSize = String(head.1)
    position = String(head.2)
    var depth = 0
    var inString = false
    var isEscaped = false
    var entry: [UInt8] = []
    for byte in body[head.0.utf8.count..<(body.count - 2)] {
      if inString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ",") where depth == 0:
          entries.append(entry)
          entry = []
          continue
        default: break
        }
      }
      entry.append(byte)
    }
    if !entry.isEmpty { entries.append(entry) }
  }
}

extension TestClient {
  /// Reads as a simple, correct client, from `position` until two answers bring nothing new.
  /// - Returns: every distinct entry in the order first seen, the number of repeats, and the pages.
  func readAll(
    from start: String = "0", query: String = "stream_type=all", limit: Int = 500
  ) async throws -> (entries: [[UInt8]], repeats: Int, pages: [TestPage]) {
    var position = start
    var seen: Set<[UInt8]> = []
    var entries: [[UInt8]] = []
    var pages: [TestPage] = []
    var repeats = 0
    var idle = 0
    while idle < 2 {
      let reply = try await events("\(query)&limit=\(limit)&stream_position=\(position)")
      let page = try #require(TestPage(reply.body))
      let new = page.entries.filter { seen.insert($0).inserted }
      repeats += page.entries.count - new.count
      entries += new
      idle = new.isEmpty ? idle + 1 : 0
      if page.next != "0", !(page.entries.isEmpty && page.next < position) { position = page.next }
      pages.append(page)
    }
    return (entries, repeats, pages)
  }
}
