package import BoxEvents
import Glibc
package import Spool
import Systemd

/// What commands do with a stream's files, beside a running daemon or while it is stopped.
package struct StreamTools: Sendable {
  private let configuration: Configuration
  /// The daemon's unit, for hints.
  private let unit: String
  private let isComplete: Bool

  /// - Parameter isComplete: whether the configuration has all streams; else any name may be one.
  package init(_ configuration: Configuration, unit: String, isComplete: Bool = true) {
    self.configuration = configuration
    self.unit = unit
    self.isComplete = isComplete
  }

  /// The stream of this name, or without a name the first one.
  package func stream(named name: String?) throws(DaemonFailure) -> Configuration.Stream {
    guard let name else { return try streams()[0] }
    if let stream = configuration.streams.first(where: { $0.name == name }) { return stream }
    if !isComplete, Configuration.Stream.isName(name) { return Configuration.Stream(name: name) }
    let names = configuration.streams.map(\.name).joined(separator: ", ")
    throw DaemonFailure(.usage, "unknown stream \"\(name)\"", hint: "The configuration has: \(names).")
  }

  /// All streams, at least one.
  package func streams() throws(DaemonFailure) -> [Configuration.Stream] {
    guard configuration.streams.isEmpty else { return configuration.streams }
    throw DaemonFailure(
      .configuration, "no stream configured",
      hint: isComplete
        ? "Add a [[stream]] table."
        : "Correct the configuration, use sudo where it can't be read, or name the stream.")
  }

  /// Checks that a stream's spool is intact. The daemon may be running.
  package func verify(_ stream: Configuration.Stream) throws(DaemonFailure) -> SpoolVerifier.Report {
    try reading(configuration.spool.directory) { () throws(StoreFailure) in
      let spool = try openSpool(stream)
      defer { spool.close() }
      // Readers of the spool may not see the state; then the position file is left out.
      let stateRoot = try? root(configuration.state.directory)
      defer { stateRoot?.close() }
      let state = try stateRoot?.subdirectory(stream.name)
      defer { state?.close() }
      return try SpoolVerifier(spool: spool, state: state).verify()
    }
  }

  /// A reader of a stream's events. The daemon may be running.
  /// - Parameter last: with how many of the last events that pass the filter it begins; nil for all of them.
  package func reader(
    of stream: Configuration.Stream, last: Int?, filter: EventFilter
  ) throws(DaemonFailure) -> SpoolReader {
    try reading(configuration.spool.directory) { () throws(StoreFailure) in
      var reader = SpoolReader(spool: try openSpool(stream))
      if let last { try reader.seek(last: last, where: filter.isOpen ? nil : { filter.passes($0) }) }
      return reader
    }
  }

  /// A sentence for each of some types that none of the stream's last events has. Box adds types: that may be right.
  package func unusedTypes(in stream: Configuration.Stream, _ types: [String]) throws(DaemonFailure)
    -> [String]
  {
    guard !types.isEmpty else { return [] }
    let limit = 10_000
    var present: Set<String> = []
    var reader = try reader(of: stream, last: limit, filter: EventFilter(types: [], since: nil))
    try DaemonFailure.mapping { () throws(StoreFailure) in
      _ = try reader.read { line in
        if let type = EventText(line)?.type { present.insert(type.uppercased()) }
      }
    }
    return types.filter { !present.contains($0.uppercased()) }.map { type in
      let nearest = ConfigurationKey.nearest(to: type.uppercased(), among: present.sorted())
      return "none of the last \(limit) events is of type \(PlainText.escaped(type))"
        + (nearest.map { "; perhaps you meant \(PlainText.escaped($0))" } ?? "")
    }
  }

  /// The content of the position file; nil where it is missing or corrupt.
  package func position(of stream: Configuration.Stream) throws(DaemonFailure) -> PositionRecord? {
    try reading(configuration.state.directory) { () throws(StoreFailure) in
      let spool = try root(configuration.spool.directory)
      defer { spool.close() }
      let state = try root(configuration.state.directory)
      defer { state.close() }
      return try stopped(stream, spool, state).position()
    }
  }

  /// Moves the position of a stream; the daemon must be stopped.
  package func setPosition(
    of stream: Configuration.Stream, to position: ReadPosition
  ) throws(DaemonFailure) -> PositionRecord {
    let directories: DaemonDirectories
    do throws(DaemonFailure) {
      directories = try DaemonDirectories(configuration)
    } catch var failure {
      if failure.hint == InstanceLock.instanceHint {
        failure.hint = "Stop it first, with: systemctl stop \(unit)."
      }
      throw failure
    }
    defer { directories.release() }
    return try DaemonFailure.mapping { () throws(StoreFailure) in
      try stopped(stream, directories.spool, directories.state).set(to: position)
    }
  }

  /// Maps what `body` throws; where permission is missing, the hint names who has it.
  private func reading<Value>(
    _ directory: String, _ body: () throws(StoreFailure) -> Value
  ) throws(DaemonFailure) -> Value {
    do throws(StoreFailure) {
      return try body()
    } catch {
      var failure = DaemonFailure(error)
      if error.errno == EACCES {
        failure.hint = GroupAccess.hint(directory, isSpool: directory == configuration.spool.directory)
      }
      if !isComplete {
        failure.hint = "The configuration can't be read; the daemon may have another directory. Correct it."
      }
      throw failure
    }
  }

  private func root(_ path: String) throws(StoreFailure) -> DiskDirectory {
    try DiskDirectory.root(path, on: LocalDisk(), access: .reading)
  }

  private func openSpool(_ stream: Configuration.Stream) throws(StoreFailure) -> DiskDirectory {
    let root = try root(configuration.spool.directory)
    defer { root.close() }
    if let spool = try root.subdirectory(stream.name) { return spool }
    throw StoreFailure(
      .blocked, "stream \(stream.name): no spool yet in \(configuration.spool.directory)",
      hint: "Start box-eventd first: it makes the spool.")
  }

  private func stopped(
    _ stream: Configuration.Stream, _ spool: DiskDirectory, _ state: DiskDirectory
  ) -> StoppedStream {
    let location = StreamSpool.Location(
      name: stream.name, feed: configuration.feedIdentity(of: stream), spoolRoot: spool, stateRoot: state)
    return StoppedStream(location, bootID: (try? BootID.current()) ?? "")
  }
}
