import FoundationEssentials
import Glibc

/// Reads and writes files in one piece.
enum Files {
  /// Empty if there is none.
  static func contents(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return contents }
      contents.append(contentsOf: chunk[..<count])
    }
  }

  static func text(_ path: String) -> String { String(decoding: contents(path), as: UTF8.self) }

  /// Of the entries of a directory, sorted; empty if there is none.
  static func names(_ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  }

  static func write(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchmarkError("can't write \(path)") }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw BenchmarkError("can't write \(path)")
    }
  }
}

struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Pauses this program.
func pause(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

/// Looks again and again until a condition holds.
func until(
  _ what: @autoclosure () -> String, within seconds: Double = 120, every interval: Double = 0.01,
  running child: Child? = nil, _ isMet: () throws -> Bool
) throws {
  var waited = 0.0
  while try !isMet() {
    try child?.requireRunning()
    guard waited < seconds else {
      throw BenchmarkError("\(what()): not after \(Int(seconds)) s. \(child?.lastLines ?? "")")
    }
    pause(interval)
    waited += interval
  }
}
