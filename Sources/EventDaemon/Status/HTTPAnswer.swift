/// An HTTP/1.1 answer, read to the end of its connection.
///
/// It knows what the daemon's own server sends: a length, or a body that ends with the connection.
package struct HTTPAnswer: Hashable, Sendable {
  package var status: Int
  package var body: [UInt8]

  /// Nil if the bytes are no answer, or fewer than promised.
  init?(parsing bytes: [UInt8]) {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else { return nil }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
      (100...599).contains(status)
    else { return nil }
    self.status = status
    body = Array(bytes[(end + separator.count)...])
    if let length = Self.length(lines.dropFirst()) {
      guard length >= 0, body.count >= length else { return nil }
      body = Array(body.prefix(length))
    }
  }

  private static func length(_ lines: ArraySlice<Substring>) -> Int? {
    for line in lines {
      let name = line.prefix { $0 != ":" }
      if name.lowercased() == "content-length" {
        return Int(line.dropFirst(name.count + 1).filter { $0 != " " })
      }
    }
    return nil
  }
}
