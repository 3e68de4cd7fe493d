package import BoxEvents
import Glibc
package import Spool
import Systemd

/// What commands do to a stream's files beside a running daemon, or while it is stopped.
package struct StreamTools: Sendable {
  private let configuration: Configuration

  package init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  /// A stream of the configuration by its name.
  package func stream(named name: String) throws(DaemonFailure) -> Configuration.Stream {
    if let stream = configuration.streams.first(where: { $0.name == name }) { return stream }
    let names = configuration.streams.map(\.name).joined(separator: ", ")
    throw DaemonFailure(.usage, "there is no stream \"\(name)\"", hint: "the configuration has: \(names)")
  }

  /// Proves a stream's spool whole. The daemon may be running.
  /// - Parameter progress: called with the bytes looked at so far.
  package func verify(
    _ stream: Configuration.Stream, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(DaemonFailure) -> SpoolVerifier.Report {
    try checked { () throws(StoreFailure) in
      let disk = LocalDisk()
      let spoolRoot = try DiskDirectory.root(configuration.spool.directory, on: disk, access: .reading)
      defer { spoolRoot.close() }
      guard let spool = try spoolRoot.subdirectory(stream.name) else {
        throw StoreFailure(
          .blocked, "the stream \(stream.name) has no spool yet", hint: "start the daemon first")
      }
      defer { spool.close() }
      // Readers of the spool may not see the state; then the position file is left out.
      let stateRoot = try? DiskDirectory.root(configuration.state.directory, on: disk, access: .reading)
      defer { stateRoot?.close() }
      let state = try stateRoot?.subdirectory(stream.name)
      defer { state?.close() }
      return try SpoolVerifier(spool: spool, state: state, progress: progress).verify()
    }
  }

  /// A reader of a stream's events. The daemon may be running.
  package func reader(of stream: Configuration.Stream) throws(DaemonFailure) -> SpoolReader {
    try checked { () throws(StoreFailure) in
      let root = try DiskDirectory.root(configuration.spool.directory, on: LocalDisk(), access: .reading)
      guard let spool = try root.subdirectory(stream.name) else {
        throw StoreFailure(
          .blocked, "the stream \(stream.name) has no spool yet", hint: "start the daemon first")
      }
      return SpoolReader(spool: spool)
    }
  }

  /// What the position file says; nil where there is none, or none whole.
  package func position(of stream: Configuration.Stream) throws(DaemonFailure) -> PositionRecord? {
    try checked { () throws(StoreFailure) in
      let disk = LocalDisk()
      let spool = try DiskDirectory.root(configuration.spool.directory, on: disk, access: .reading)
      defer { spool.close() }
      let state = try DiskDirectory.root(configuration.state.directory, on: disk, access: .reading)
      defer { state.close() }
      return try stopped(stream, spool, state).position()
    }
  }

  /// Moves the position of a stream; the daemon must be stopped.
  package func setPosition(
    of stream: Configuration.Stream, to position: ReadPosition
  ) throws(DaemonFailure) -> PositionRecord {
    let directories: DaemonDirectories
    do {
      directories = try DaemonDirectories(configuration)
    } catch {
      var failure = error
      if failure.exit == .alreadyRunning { failure.hint = "stop it first: systemctl stop box-eventd" }
      throw failure
    }
    defer { directories.release() }
    return try checked { () throws(StoreFailure) in
      try stopped(stream, directories.spool, directories.state).set(to: position)
    }
  }

  private func stopped(
    _ stream: Configuration.Stream, _ spool: DiskDirectory, _ state: DiskDirectory
  ) -> StoppedStream {
    let place = StreamSpool.Location(
      name: stream.name, feed: configuration.feedIdentity(of: stream), spoolRoot: spool, stateRoot: state)
    return StoppedStream(place, bootID: (try? BootID.current()) ?? "")
  }

  /// Turns a failure of the store into the daemon's.
  package func checked<Value>(
    _ body: () throws(StoreFailure) -> Value
  ) throws(DaemonFailure) -> Value {
    do throws(StoreFailure) {
      return try body()
    } catch {
      throw DaemonFailure(error)
    }
  }
}
