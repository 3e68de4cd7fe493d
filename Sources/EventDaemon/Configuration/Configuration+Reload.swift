import BoxEvents
package import Logging

extension Configuration {
  /// What a reload changes.
  package struct Change: Hashable, Sendable {
    /// Streams to start.
    package var added: [Stream] = []
    /// Names of streams to stop.
    package var removed: [String] = []
    /// Streams to stop and start again, as they are now. A different `start` alone doesn't count: it is used only
    /// before a stream's first run.
    package var changed: [Stream] = []
    /// The new level, if it is another one.
    package var logLevel: Logger.Level?
    /// Nothing differs. Files of secrets don't count: every reload reads the secrets again.
    package var isEmpty: Bool { self == Change() }
  }

  /// Compares this configuration, the one in force, with a new one.
  package func change(to new: Configuration) -> Change {
    let old = Dictionary(streams.map { ($0.name, $0) }) { first, _ in first }
    let names = Set(new.streams.map(\.name))
    return Change(
      added: new.streams.filter { old[$0.name] == nil },
      removed: streams.map(\.name).filter { !names.contains($0) },
      changed: new.streams.filter { stream in
        guard var before = old[stream.name] else { return false }
        before.start = stream.start
        return before != stream
      },
      logLevel: log.level == new.log.level ? nil : new.log.level)
  }

  /// What a reload can apply of a new configuration, and the names of what it can't, as `[table] key` or `stream name`.
  ///
  /// Keys that only a restart can change stay as they are. So do all of [auth] with another way to sign in, and the
  /// streams where the new ones don't go together with that. A new or changed stream that the restart would give
  /// another feed waits for it: until then it would spool what belongs to somebody else.
  package func reloaded(with new: Configuration) -> (configuration: Configuration, refusedKeys: [String]) {
    var (applied, refused) = (new, [String]())
    for table in ConfigurationKeys.tables {
      for key in table.keys where !key.isReloaded && !key.isEqual(self, new) {
        key.copy(self, &applied)
        refused.append("\(table.header) \(key.name)")
      }
    }
    if auth.method != new.auth.method { applied.auth = auth }
    let change = self.change(to: new)
    let waiting = (change.added + change.changed).filter { applied.feed(of: $0) != new.feed(of: $0) }
    let names = Set(waiting.map(\.name))
    applied.streams = new.streams.compactMap { stream in
      names.contains(stream.name) ? streams.first { $0.name == stream.name } : stream
    }
    refused += waiting.count > 3 ? ["\(waiting.count) streams"] : waiting.map { "stream \($0.name)" }
    if applied.streams.isEmpty || !applied.hasSubjects {
      applied.streams = streams
      refused.append("[[stream]]")
    }
    return (applied, refused)
  }

  /// Whose feed a stream gets; where its identity doesn't tell, with what its token's owner depends on.
  private struct Feed: Equatable {
    var identity: FeedIdentity
    var method: Auth.Method?
    var clientID: String?
  }

  private func feed(of stream: Stream) -> Feed {
    let feed = Feed(identity: feedIdentity(of: stream))
    let (subject, type) = (feed.identity.subject, stream.type)
    // An enterprise's token is that of an app's own user: `TokenRegistry.owner(of:)`.
    let isKnown = stream.asUser != nil || (type.hasRealtimeServer ? subject?.kind == .user : subject != nil)
    return isKnown ? feed : Feed(identity: feed.identity, method: auth.method, clientID: auth.clientID)
  }

  /// Whether each stream has a subject, or none, as the way to sign in needs it.
  private var hasSubjects: Bool {
    streams.allSatisfy { stream in
      switch auth.method {
      case .clientCredentials: subject(of: stream) != nil
      case .oauth2, .accessToken: stream.subject == nil
      case .jwt: true
      }
    }
  }
}
