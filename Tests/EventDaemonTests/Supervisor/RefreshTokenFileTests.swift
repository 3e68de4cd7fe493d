import BoxClient
import BoxEvents
import NIOPosix
import ScriptedHTTP
import Spool
import Synchronization
import TestDisks
import Testing

@testable import EventDaemon

/// The daemon's refresh token, while another process signs in beside it.
@Suite(.timeLimit(.minutes(1))) struct RefreshTokenFileTests {
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

  // MARK: What is durable before the token is spent

  /// Notes the writes and syncs of a disk.
  private struct NotingDisk: ForwardingDisk {
    let base: any Disk
    let note: @Sendable (String) -> Void

    func write(
      _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) throws(DiskError) -> Int {
      note("write at \(offset)")
      return try base.write(handle, bytes, at: offset)
    }

    func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
      try base.synchronizeData(handle)
      note("sync")
    }
  }

  /// A write alone proves nothing: a full or failing disk may show only at the sync.
  @Test func writesAndSyncsBeforeTheTokenIsSpent() async throws {
    let calls = Mutex<[String]>([])
    let disk = NotingDisk(base: LocalDisk()) { call in calls.withLock { $0.append(call) } }
    let state = try DiskDirectory.root(configuration.state.directory, on: disk, access: .own)
    defer { state.close() }
    let file = try RefreshTokenFile(state)
    try await file.save(Secret("r1"))
    calls.withLock { $0 = [] }
    try await ScriptedServer.run { _, _ in
      calls.withLock { $0.append("request") }
      return .answer(200, #"{"access_token":"a","refresh_token":"r2"}"#)
    } _: { server in
      let url = try #require(WebURL(server.origin + "/token"))
      let transport = BoxTransport(
        settings: TransportSettings(version: "1"), group: MultiThreadedEventLoopGroup.singleton)
      let signIn = RefreshTokenSignIn(
        endpoint: try TokenEndpoint(transport: transport, url: url), clientID: "id",
        clientSecret: { Secret("s") }, store: file)
      let token = try? await signIn.signIn()
      await transport.shutdown()
      #expect(token?.text.reveal() == "a")
    }
    let (before, after) = calls.withLock { calls in
      (calls.prefix { $0 != "request" }, calls.drop { $0 != "request" }.dropFirst())
    }
    // The block that the successor will get, first empty and then with it.
    #expect(before.suffix(2) == ["write at 4096", "sync"])
    #expect(after.suffix(2) == ["write at 4096", "sync"])
    #expect(try await text(file) == "r2")
  }
}
