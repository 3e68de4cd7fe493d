package import Logging

extension Configuration {
  /// What differs between the configuration in force and one read by a reload.
  package struct Change: Hashable, Sendable {
    /// Streams to start.
    package var added: [Stream] = []
    /// Names of streams to stop.
    package var removed: [String] = []
    /// Streams to stop and start again, as they are now. A different `start` alone is none: it only
    /// counts before a stream's first run.
    package var changed: [Stream] = []
    /// The new level, if it is another one.
    package var logLevel: Logger.Level?
    /// A key that names a secret's file is another one.
    package var secretFilesChanged = false
    /// Keys that only a restart can change, as `[table] key`.
    package var refusedKeys: [String] = []

    /// Nothing differs that a reload would do.
    package var isEmpty: Bool { self == Change() }
  }

  /// Compares this configuration, the one in force, with a new one.
  package func change(to new: Configuration) -> Change {
    var change = Change()
    let old = Dictionary(streams.map { ($0.name, $0) }) { first, _ in first }
    let names = Set(new.streams.map(\.name))
    change.added = new.streams.filter { old[$0.name] == nil }
    change.removed = streams.map(\.name).filter { !names.contains($0) }
    change.changed = new.streams.filter { stream in
      guard var before = old[stream.name] else { return false }
      before.start = stream.start
      return before != stream
    }
    change.logLevel = log.level == new.log.level ? nil : new.log.level
    change.secretFilesChanged = secretPaths != new.secretPaths
    change.refusedKeys = zip(fixedValues, new.fixedValues).filter { $0.0.value != $0.1.value }.map(\.0.key)
    return change
  }

  private var secretPaths: [String?] {
    [auth.clientSecretFile, auth.settingsFile, auth.accessTokenFile, box.proxyAuthFile]
  }

  /// Every key outside `[log]`, `[[stream]]` and secrets, with its value.
  var fixedValues: [(key: String, value: AnyHashable)] {
    [
      ("[box] api_url", box.apiURL), ("[box] token_url", box.tokenURL),
      ("[box] realtime_hosts", box.realtimeHosts), ("[box] proxy", box.proxy),
      ("[box] max_page", box.maxPage), ("[box] ca_file", box.caFile),
      ("[auth] method", auth.method), ("[auth] client_id", auth.clientID),
      ("[auth] subject", auth.subject),
      ("[spool] directory", spool.directory), ("[spool] segment_size", spool.segmentSize),
      ("[spool] segment_age", spool.segmentAge), ("[spool] keep_free", spool.keepFree),
      ("[spool] max_size", spool.maxSize), ("[spool] max_age", spool.maxAge),
      ("[state] directory", state.directory),
      ("[status] socket", status.socket), ("[status] listen", status.listen),
    ]
  }
}
