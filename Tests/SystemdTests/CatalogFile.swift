import Glibc

/// A journal catalog, read as strictly as journalctl does: see https://systemd.io/CATALOG/.
struct CatalogFile {
  struct Entry {
    var id: String
    /// In the order written.
    var headers: [(name: String, value: String)] = []
    var text: [String] = []

    func header(_ name: String) -> String? {
      headers.first { $0.name == name }?.value
    }

    /// Every `@NAME@` of the headers and the text.
    var references: Set<String> {
      let lines = headers.map(\.value) + text
      return Set(lines.flatMap { $0.matches(of: /@([A-Z_]+)@/).map { String($0.1) } })
    }
  }

  var entries: [Entry]

  init(path: String) throws {
    self.init(text: try Self.read(path))
  }

  init(text: String) {
    entries = []
    var inHeaders = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("#") { continue }
      if line.hasPrefix("-- ") {
        entries.append(Entry(id: String(line.dropFirst(3))))
        inHeaders = true
      } else if line.isEmpty, inHeaders {
        inHeaders = false
      } else if let last = entries.indices.last {
        entries[last].add(line, asHeader: inHeaders)
      }
    }
  }

  static func read(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw NotifySocket.Failure(call: path, errno: errno) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension CatalogFile.Entry {
  mutating func add(_ line: String, asHeader: Bool) {
    guard asHeader else { return text.append(line) }
    let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
    headers.append((name: parts[0], value: parts.count > 1 ? parts[1] : ""))
  }
}
