import BoxClient
import BoxEvents
import Spool

/// The OAuth 2 refresh token in the state directory, kept like a position: in two blocks, so that the
/// old one stays intact while the new one is written.
///
/// The daemon's, and beside it that of `check --online` and `login`: who spends or replaces it has locked it.
actor RefreshTokenFile: RefreshTokenStore {
  static let name = "refresh_token"
  /// How often, and for how long, a lock of another process is tried: an exchange takes a second or two.
  private static let tries = (count: 600, interval: Duration.milliseconds(100))

  private let state: DiskDirectory
  private let thread: DiskThread
  private let sleep: @Sendable (Duration) async throws -> Void
  /// Its syncs block: on a thread of its own, beside those of the streams.
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(
    _ state: DiskDirectory,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) throws(DaemonFailure) {
    self.state = state
    self.sleep = sleep
    thread = try DaemonFailure.mapping { () throws(StoreFailure) in try DiskThread() }
  }

  func take() async throws -> (@Sendable () -> Void)? {
    for _ in 0..<Self.tries.count {
      if let lock = try FileLock(Self.name, in: state) { return { lock.release() } }
      try await sleep(Self.tries.interval)
    }
    return nil
  }

  func load() async throws -> Secret<String>? {
    guard let file = try TwoBlockFile(Self.name, in: state) else { return nil }
    defer { file.close() }
    let line = file.content?.split(separator: "\n").first { $0.hasPrefix("refresh_token: ") }
    return line.map { Secret(String($0.dropFirst("refresh_token: ".count))) }
  }

  func proveWritable() async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.proveWritable()
  }

  func save(_ refreshToken: Secret<String>) async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.write("refresh_token: \(refreshToken.reveal())\n")
  }
}
