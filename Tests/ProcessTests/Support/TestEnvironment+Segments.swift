import Glibc

extension TestEnvironment {
  /// Lets the newest segment have begun a year ago, so that the next start's first event begins a new one:
  /// a segment lives at least ten seconds, and tests don't wait. A line about a segment that was never made
  /// goes, since such a one counts as begun just now.
  func ageSegments(_ stream: String = "default") {
    let directory = "\(root)/spool/\(stream)"
    let path = "\(directory)/segments.ndjson"
    let segments = Set(directoryNames(directory))
    var found = String(decoding: readFile(path), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let partial = found.popLast() ?? ""
    var lines: [String] = []
    for line in found {
      let ordinal = line.split(separator: #""ordinal":"#).last?.prefix { $0.isNumber } ?? ""
      let name = "events-" + String(repeating: "0", count: max(0, 16 - ordinal.count)) + ordinal + ".ndjson"
      guard line.contains(#""start""#) || segments.contains(name) else { continue }
      let parts = line.split(separator: #""time":""#, maxSplits: 1)
      guard parts.count == 2, let year = Int(parts[1].prefix(4)) else { continue }
      lines.append(#"\#(parts[0])"time":"\#(year - 1)\#(parts[1].dropFirst(4))"# + "\n")
    }
    guard !lines.isEmpty else { return }
    writeFile(path, Array((lines.joined() + partial).utf8), mode: 0o640)
    // A power cut takes back what the daemon didn't sync, not what was done to its files here.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    fsync(descriptor)
  }

  /// How many segments a stream's spool has.
  func segmentCount(_ stream: String = "default") -> Int {
    directoryNames("\(root)/spool/\(stream)").count { $0.hasPrefix("events-") }
  }

  /// The lines of one of a stream's own files in the spool, for example `gaps.ndjson`.
  func lineCount(of file: String, _ stream: String = "default") -> Int {
    readFile("\(root)/spool/\(stream)/\(file)").lines.count
  }
}
