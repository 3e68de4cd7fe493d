import BoxEvents

extension SpoolVerifier {
  /// What the stream's own files record about segments that were deleted and about gaps.
  struct Evidence {
    private(set) var begun: Set<UInt64> = []
    private(set) var gaps: Set<UInt64> = []
    /// An older file of gaps or segments that is compressed or can't be read.
    private(set) var unread: String?

    init(_ spool: DiskDirectory) throws(StoreFailure) {
      for line in try lines(SegmentEntry.fileName, spool) {
        if let entry = SegmentEntry(parsing: line) { begun.insert(entry.ordinal) }
      }
      for line in try lines(GapLine.fileName, spool) {
        guard let line = GapLine(parsing: line) else { continue }
        if [.spoolShortened, .stateLost].contains(line.gap.cause) { gaps.insert(line.ordinal) }
      }
    }

    /// The lines of a file, and of those that logrotate has made of it, also in a directory below: its `olddir`.
    private mutating func lines(
      _ name: String, _ spool: DiskDirectory
    ) throws(StoreFailure) -> [ArraySlice<UInt8>] {
      var lines = try lines(name, spool, below: "")
      for folder in try spool.names() where try spool.status(of: folder)?.kind == .directory {
        guard let inner = try? spool.subdirectory(folder) else { continue }
        defer { inner.close() }
        lines += try self.lines(name, inner, below: "\(folder)/")
      }
      return lines
    }

    /// Those of one directory: `gaps.ndjson`, `gaps.ndjson.1`, `gaps.ndjson-20261127` or `gaps-20261127.ndjson`.
    private mutating func lines(
      _ name: String, _ directory: DiskDirectory, below folder: String
    ) throws(StoreFailure) -> [ArraySlice<UInt8>] {
      let stem = name.prefix { $0 != "." }
      var lines: [ArraySlice<UInt8>] = []
      for other in try directory.names().sorted() where other.hasPrefix(stem) {
        guard let next = other.dropFirst(stem.count).first, next == "." || next == "-" else { continue }
        if SegmentName.archiveSuffixes.contains(where: { other.hasSuffix($0) }) {
          unread = folder + other
          continue
        }
        do throws(StoreFailure) {
          guard let file = try directory.file(other, writing: false) else { continue }
          defer { file.close() }
          lines += try file.bytes(in: 0..<file.size()).split(separator: 0x0A)
        } catch {
          guard folder + other != name, error.isOfOneFile else { throw error }
          unread = folder + other
        }
      }
      return lines
    }
  }
}
