import BoxEvents
import Crypto

/// The ids of the newest events as a file in the state directory, `known_ids`: one id a line, the oldest
/// first, and a checksum.
///
/// It is written whenever a segment is finished, since finished segments may be deleted at once: the overlap
/// that Box serves again at the next start must be known even then. It is read only where the spool itself
/// holds too few events.
struct KnownIDs: Sendable {
  static let fileName = "known_ids"
  private static let passingName = ".known_ids"
  private static let checksum = "checksum: "

  var ids: [EventIdentity]

  init(_ ids: [EventIdentity]) {
    self.ids = ids
  }

  /// Reads the file; no ids if there is none, or none whole.
  init(in state: DiskDirectory) throws(StoreFailure) {
    ids = []
    guard let file = try state.file(Self.fileName, writing: false) else { return }
    defer { file.close() }
    let text = String(decoding: try file.bytes(in: 0..<file.size()), as: UTF8.self)
    var lines = text.split(separator: "\n")
    guard let last = lines.popLast(), last == Self.checksumLine(lines) else { return }
    ids = lines.compactMap { EventIdentity(String($0)) }
  }

  /// Replaces the file. A crash leaves the old one or the new one.
  func write(in state: DiskDirectory) throws(StoreFailure) {
    var lines = ids.map(\.description)
    lines.append(Self.checksumLine(lines.map { $0[...] }))
    let file = try state.madeFile(Self.passingName)
    defer { file.close() }
    try file.truncate(to: 0)
    try file.write(Array((lines.joined(separator: "\n") + "\n").utf8), at: 0)
    try file.synchronize()
    try state.rename(Self.passingName, to: Self.fileName)
    try state.synchronize()
  }

  private static func checksumLine(_ lines: [Substring]) -> String {
    checksum + Hexadecimal.text(of: SHA256.hash(data: Array(lines.joined(separator: "\n").utf8)))
  }
}
