/// The rules on several keys: what is missing, and what doesn't go together.
extension ConfigurationReader {
  mutating func checkTogether() {
    checkNames()
    checkClientID()
    checkSubjects()
    checkDefaultSocket()
    let directory = configuration.state.directory
    if directory == configuration.spool.directory {
      let location = source.table("state").settings["directory"]?.location ?? source.table("spool").location
      source.report(
        location, "[state] and [spool] have the same directory, \(directory)",
        hint: "Give each a directory of its own: both hold a directory for every stream.")
    }
  }

  /// One that is set is checked as it is read. The default is as long as the unit's directory, such as an instance's.
  private mutating func checkDefaultSocket() {
    let path = configuration.status.socket
    guard path.utf8.count > ValueText.maximumSocketPath else { return }
    source.report(
      source.table("status").location,
      "the default of socket in [status], \(path), has \(path.utf8.count) bytes; "
        + "\(ValueText.maximumSocketPath) are possible",
      hint: "Set socket in [status] to a shorter path, or give the instance a shorter name.")
  }

  private mutating func checkNames() {
    if source.streams.isEmpty {
      source.report(
        .init(file: source.mainFile), "missing [[stream]]",
        hint: "Add two lines: [[stream]] and name = \"default\".")
    }
    var locations: [String: ConfigurationError.Location] = [:]
    for (stream, table) in zip(configuration.streams, source.streams) where !stream.name.isEmpty {
      let location = table.location(of: "name")
      if stream.name == RefreshTokenFile.name {
        source.report(
          location, "name in [[stream]] is \"\(stream.name)\", a file's name in the state directory",
          hint: "Choose another name.")
      }
      if let first = locations[stream.name] {
        source.report(
          location, "a second [[stream]] named \"\(stream.name)\"",
          hint: "Choose another name, or remove one: the first is at \(first).")
      } else {
        locations[stream.name] = location
      }
    }
  }

  private mutating func checkClientID() {
    let auth = source.table("auth")
    switch configuration.auth.method {
    case .jwt, .accessToken: return
    case .clientCredentials, .oauth2: guard auth.isUnset("client_id") else { return }
    }
    // A file fresh from the package has nothing here; one clear sentence is enough then.
    if auth.settings.isEmpty {
      source.report(
        auth.location, "nothing is configured yet: missing client_id in [auth]",
        hint: "Fill in [auth]: client_id and subject of your Box app, and where its secret is.")
    } else {
      source.report(
        auth.location, "missing client_id in [auth]",
        hint: "Add client_id = \"…\", from your app's page in Box's developer console.")
    }
  }

  /// Client credentials need a subject; a token with one owner can't be asked for another's.
  private mutating func checkSubjects() {
    let (method, auth) = (configuration.auth.method, source.table("auth"))
    switch method {
    case .oauth2, .accessToken:
      for table in source.streams where !table.isUnset("subject") {
        source.report(
          table.location(of: "subject"),
          "subject in [[stream]] can't be used with method \"\(method.rawValue)\"",
          hint: "Remove it: the token has one owner. To read as another user, set as_user.")
      }
    case .clientCredentials:
      guard !auth.settings.isEmpty, auth.isUnset("subject"),
        source.streams.contains(where: { $0.isUnset("subject") })
      else { return }
      source.report(
        auth.location, "missing subject in [auth]",
        hint: "Add subject = \"enterprise:ID\" or \"user:ID\": whose token to ask for.")
    case .jwt: return
    }
  }
}
