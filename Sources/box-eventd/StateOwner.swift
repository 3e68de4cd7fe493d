import EventDaemon
import Glibc
import SystemPackage

/// Started as root, a command that touches the state first becomes its owner, so that it leaves
/// nothing behind the service can't use, and sees what the service would see.
enum StateOwner {
  /// The user of the packaged units.
  private static let serviceUser = "box-eventd"

  /// Becomes the owner of the configured state directory; where it is missing, the user of the packaged
  /// units. Does nothing for other users than root, and where root owns the directory.
  /// - Throws: `CommandFailure` where root may not become the owner, for example in a container.
  static func become(of configurationPath: String, environment: [String: String]) throws {
    if let owner = owner(configurationPath, environment) { try become(owner) }
  }

  /// Does the same for a command that needs secrets, and shows it those of the unit.
  /// - Parameter makesState: make a missing state directory for its owner, as the unit does when it starts.
  static func become<Value>(
    of configurationPath: String, environment: [String: String], makesState: Bool,
    _ work: (_ environment: [String: String]) async throws -> Value
  ) async throws -> Value {
    var environment = environment
    let owner = owner(configurationPath, environment)
    let credentials = UnitCredentials(
      of: configurationPath, environment: environment, for: owner?.user ?? 0)
    defer { credentials?.remove() }
    if let credentials { environment["CREDENTIALS_DIRECTORY"] = credentials.folder }
    if let owner {
      if makesState, mkdir(owner.directory, 0o700) == 0 { chown(owner.directory, owner.user, owner.group) }
      try become(owner)
    }
    return try await work(environment)
  }

  private struct Owner {
    /// The state directory.
    var directory: String
    var user: uid_t
    var group: gid_t
  }

  /// Nil where there is nobody to become.
  private static func owner(_ configurationPath: String, _ environment: [String: String]) -> Owner? {
    guard geteuid() == 0,
      let configuration = try? Configuration.load(configurationPath, environment: environment)
    else { return nil }
    let directory = configuration.state.directory
    if let status = try? Stat(FilePath(directory)) {
      let (user, group) = (status.userID.rawValue, status.groupID.rawValue)
      return user == 0 ? nil : Owner(directory: directory, user: user, group: group)
    }
    return getpwnam(serviceUser).map {
      Owner(directory: directory, user: $0.pointee.pw_uid, group: $0.pointee.pw_gid)
    }
  }

  private static func become(_ owner: Owner) throws {
    let hasGroups: Bool
    if let entry = getpwuid(owner.user) {
      let (name, group) = (entry.pointee.pw_name, entry.pointee.pw_gid)
      hasGroups = name.map { initgroups($0, group) } == 0 && setgid(group) == 0
    } else {
      hasGroups = setgroups(0, nil) == 0 && setgid(owner.group) == 0
    }
    guard hasGroups, setuid(owner.user) == 0 else {
      throw CommandFailure(
        .configuration,
        "can't become the owner of \(owner.directory): \(String(cString: strerror(errno)))",
        hint: "run this command as the user with the id \(owner.user)")
    }
  }
}
