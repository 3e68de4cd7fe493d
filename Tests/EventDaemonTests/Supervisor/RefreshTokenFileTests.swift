import BoxClient
import BoxEvents
import ScriptedHTTP
import Spool
import Synchronization
import Testing

@testable import EventDaemon

/// The daemon's refresh token, while another process signs in beside it.
@Suite struct RefreshTokenFileTests {
  private let folder: TemporaryFolder
  private let configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    var configuration = try ConfigurationText.read(ConfigurationText.minimal)
    configuration.state.directory = try folder.folder("state")
    self.configuration = configuration
  }

  /// A directory of its own for each, as for two processes.
  private func state() throws -> DiskDirectory { try DaemonDirectories.openState(configuration) }

  private func text(_ file: RefreshTokenFile) async throws -> String? { try await file.load()?.reveal() }

  @Test func keepsTheLastToken() async throws {
    let file = try RefreshTokenFile(try state())
    #expect(try await text(file) == nil)
    try await file.save(Secret("r1"))
    try await file.proveWritable()
    #expect(try await text(file) == "r1")
    #expect(try await text(try RefreshTokenFile(try state())) == "r1")
  }

  /// The wait ends when the other one has saved the successor, and loads that one.
  @Test func waitsForTheSuccessorOfAnotherProcess() async throws {
    let other = try RefreshTokenFile(try state())
    try await other.save(Secret("r1"))
    let release = try #require(try await other.take())
    let waits = Mutex(0)
    let file = try RefreshTokenFile(try state()) { _ in
      try await other.save(Secret("r2"))
      release()
      waits.withLock { $0 += 1 }
    }
    let own = try await file.take()
    #expect(own != nil && waits.withLock { $0 } == 1)
    #expect(try await text(file) == "r2")
    // It is kept from others, until it is given back.
    #expect(try FileLock(RefreshTokenFile.name, in: try state()) == nil)
    own?()
    #expect(try FileLock(RefreshTokenFile.name, in: try state()) != nil)
  }

  @Test func doesNotWaitForever() async throws {
    let other = try RefreshTokenFile(try state())
    let release = try #require(try await other.take())
    let file = try RefreshTokenFile(try state()) { _ in }
    #expect(try await file.take() == nil)
    release()
  }

  /// The daemon stops while another process has the token.
  @Test func aStopEndsTheWait() async throws {
    let other = try RefreshTokenFile(try state())
    let release = try #require(try await other.take())
    let (waiting, began) = AsyncStream.makeStream(of: Void.self)
    let file = try RefreshTokenFile(try state()) {
      began.yield()
      try await Task.sleep(for: $0 * 6000)
    }
    let task = Task { try await file.take() }
    for await _ in waiting { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    release()
  }
}
