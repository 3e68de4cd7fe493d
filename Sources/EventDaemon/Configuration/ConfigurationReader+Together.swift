/// What no value shows by itself: what is missing, and what doesn't go together.
extension ConfigurationReader {
  typealias ReadStream = (stream: Configuration.Stream, table: ConfigurationSource.Table)

  mutating func checkTogether(
    _ configuration: Configuration, _ source: ConfigurationSource, _ streams: [ReadStream]
  ) {
    checkStreams(streams, source)
    checkAuth(configuration.auth, source.table("auth"))
    checkSubjects(configuration.auth, source.table("auth"), streams)
    if configuration.state.directory == configuration.spool.directory {
      let location = source.table("state").settings["directory"]?.location ?? source.table("spool").location
      report(
        location, "[state] and [spool] have the same directory, \(configuration.state.directory)",
        hint: "give each a directory of its own: both hold a folder for every stream")
    }
  }

  private mutating func checkStreams(_ streams: [ReadStream], _ source: ConfigurationSource) {
    if source.streams.isEmpty {
      report(
        .init(file: source.mainFile), "there is no [[stream]]",
        hint: "add two lines: [[stream]] and name = \"default\"")
    }
    var places: [String: ConfigurationError.Location] = [:]
    for (stream, table) in streams where !stream.name.isEmpty {
      let location = table.settings["name"]?.location ?? table.location
      if let first = places[stream.name] {
        report(
          location, "a second [[stream]] named \"\(stream.name)\"",
          hint: "choose another name, or remove one: the first is at \(first)")
      } else {
        places[stream.name] = location
      }
    }
  }

  /// - Parameter table: `[auth]` as written, to tell what is missing from what is wrong.
  private mutating func checkAuth(_ auth: Configuration.Auth, _ table: ConfigurationSource.Table) {
    let needsClient = auth.method == .clientCredentials || auth.method == .oauth2
    guard needsClient, isUnset("client_id", table) else { return }
    // A file fresh from the package has nothing here; one clear sentence is enough then.
    if table.settings.isEmpty {
      report(
        table.location, "nothing is configured yet: client_id in [auth] is missing",
        hint: "fill in [auth]: client_id and subject of your Box app, and where its secret is")
    } else {
      report(
        table.location, "client_id in [auth] is missing",
        hint: "add client_id = \"…\", from your app's page in Box's developer console")
    }
  }

  /// Client credentials name a subject; tokens with one owner can't be asked for another.
  private mutating func checkSubjects(
    _ auth: Configuration.Auth, _ table: ConfigurationSource.Table, _ streams: [ReadStream]
  ) {
    if !auth.method.choosesSubject {
      for location in streams.compactMap({ $0.table.settings["subject"] }).filter({ $0.node != .string("") })
      {
        report(
          location.location, "subject in [[stream]] does nothing with method \"\(auth.method.rawValue)\"",
          hint: "remove it: the token has one owner; as_user selects another user")
      }
      return
    }
    let someStreamNeedsIt = streams.contains { isUnset("subject", $0.table) }
    guard auth.method == .clientCredentials, someStreamNeedsIt, isUnset("subject", table),
      !table.settings.isEmpty
    else { return }
    report(
      table.location, "subject in [auth] is missing",
      hint: "add subject = \"enterprise:ID\" or \"user:ID\": whose token is asked for")
  }

  private func isUnset(_ key: String, _ table: ConfigurationSource.Table) -> Bool {
    table.settings[key].map { $0.node == .string("") } ?? true
  }
}
