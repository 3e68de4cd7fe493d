import TestSystem

/// The responder at work. Ends with this value.
final class Responder {
  /// An event, and when it could first be read.
  struct Produced {
    var user: Int
    var ordinal: Int
    /// CLOCK_MONOTONIC.
    var nanoseconds: UInt64
  }

  /// The responder's positions: this one, and after each event this much more and one.
  private static let basePosition: UInt64 = 1_152_922_976_252_290_886
  private static let positionStep: UInt64 = 16

  let port: Int
  let certificate: Certificate?
  private let process: Child

  init(
    _ program: String, feeds: Int = 1, backlog: Int = 0, offersGzip: Bool = false,
    certificate: Certificate? = nil,
    log: String
  ) throws {
    // Of its own: the next one's port must not be read for this one's.
    let output = "\(log).responder-\(MonotonicTime.now)"
    var arguments = ["--feeds", "\(feeds)", "--backlog", "\(backlog)"]
    if offersGzip { arguments.append("--gzip") }
    if let certificate { arguments += ["--tls", certificate.path, certificate.keyPath] }
    let process = try Child(program, arguments, log: output)
    try until("the responder's port", running: process) { Files.contents(output).last == UInt8(ascii: "\n") }
    guard let port = Int(Files.text(output).dropLast()) else {
      throw BenchmarkError("no port: \(Files.text(output))")
    }
    (self.process, self.port, self.certificate) = (process, port, certificate)
  }

  /// How many events are before a position.
  static func events(before position: UInt64) -> Int {
    position > basePosition ? Int((position - basePosition - 1) / positionStep) : 0
  }

  /// - Parameter user: 0 for all feeds.
  func produce(_ count: Int, user: Int = 1) throws {
    _ = try control("produce?user=\(user)&count=\(count)")
  }

  /// Produces events one by one from now on.
  /// - Parameter user: 0 to spread them over all feeds.
  func schedule(_ count: Int, user: Int = 1, everyMicroseconds interval: Int) throws {
    _ = try control("schedule?user=\(user)&count=\(count)&interval=\(interval)")
  }

  /// What was produced since this was last called.
  func produced() throws -> [Produced] {
    try control("times").split(separator: "\n").compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt64($0) }
      guard numbers.count == 3 else { return nil }
      return Produced(user: Int(numbers[0]), ordinal: Int(numbers[1]), nanoseconds: numbers[2])
    }
  }

  /// The position after so many events.
  static func position(after events: Int) -> UInt64 { basePosition + positionStep * UInt64(events) + 1 }

  /// `held` for the polls that wait, `scheduled` for events still to come, and requests by kind.
  func count(_ name: String) throws -> Int {
    let line = try control("counts").split(separator: "\n").first { $0.hasPrefix(name + " ") }
    guard let number = line.flatMap({ Int($0.dropFirst(name.count + 1)) }) else {
      throw BenchmarkError("the responder doesn't count \(name)")
    }
    return number
  }

  private func control(_ target: String) throws -> String {
    try process.requireRunning()
    return try HTTPCall.get("/control/\(target)", port: port)
  }
}
