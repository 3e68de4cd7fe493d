import Glibc
import SystemPackage

/// Started as root, a command that touches the state first becomes its owner, so that it leaves nothing behind the
/// service can't use, and sees what the service would see.
package enum StateOwner {
  /// Becomes the owner of the configured state directory; where it is missing, the user of the packaged
  /// units. Does nothing for other users than root, and where root owns the directory.
  /// - Throws: `DaemonFailure` where root may not become the owner, for example in a container.
  package static func become(
    of configurationPath: String, environment: [String: String]
  ) throws(DaemonFailure) {
    if let owner = owner(configurationPath, environment) { try become(owner) }
  }

  /// Does the same for a command that needs secrets, and gives it those that the unit's next start gets.
  /// - Parameters:
  ///   - makesState: make a missing state directory for its owner, as the unit does when it starts.
  ///   - warn: prints a warning.
  package static func become(
    of configurationPath: String, environment: [String: String], makesState: Bool,
    warn: @escaping @Sendable (String) -> Void,
    _ work: (
      _ environment: [String: String], _ credentials: [SecretFile.Kind: CredentialOrigin], Interruption
    ) async throws -> Void
  ) async throws {
    var environment = environment
    let owner = owner(configurationPath, environment)
    let credentials = UnitCredentials(of: configurationPath, environment: environment, for: owner?.user ?? 0)
    defer { credentials.remove() }
    let interruption = Interruption(warn: warn) { credentials.remove() }
    interruption.begin()
    if let folder = credentials.folder { environment["CREDENTIALS_DIRECTORY"] = folder }
    if let owner {
      if makesState, mkdir(owner.directory, 0o700) == 0 { chown(owner.directory, owner.user, owner.group) }
      try become(owner)
    }
    try await work(environment, credentials.origins, interruption)
  }

  /// Whether this process is neither root nor the user whose state it is: what the service may
  /// do can't be seen from it.
  static func isAnother(than configuration: Configuration) -> Bool {
    guard geteuid() != 0, geteuid() != getpwnam("box-eventd")?.pointee.pw_uid else { return false }
    return Stat(nearest: FilePath(configuration.state.directory))?.userID.rawValue != geteuid()
  }

  static let sudoHint = "Use sudo: this user is not the service's."

  /// The failure of a command, with a remedy for another user than root and the service's.
  package static func explained(
    _ error: any Error, _ configurationPath: String, environment: [String: String]
  ) -> DaemonFailure {
    var failure = DaemonFailure(error)
    let isDenied =
      failure.errno == EACCES || failure.errno == EPERM || failure.problems.contains(where: \.isDenied)
    if isDenied,
      isAnother(than: Configuration.readable(configurationPath, environment: environment).configuration)
    {
      failure.hint = sudoHint
    }
    return failure
  }

  private struct Owner {
    /// The state directory.
    var directory: String
    var user: uid_t
    var group: gid_t
  }

  /// Nil where the process stays what it is.
  private static func owner(_ configurationPath: String, _ environment: [String: String]) -> Owner? {
    guard geteuid() == 0 else { return nil }
    let configuration = Configuration.readable(configurationPath, environment: environment).configuration
    let directory = configuration.state.directory
    if let status = try? Stat(FilePath(directory)) {
      let (user, group) = (status.userID.rawValue, status.groupID.rawValue)
      return user == 0 ? nil : Owner(directory: directory, user: user, group: group)
    }
    return getpwnam("box-eventd").map {
      Owner(directory: directory, user: $0.pointee.pw_uid, group: $0.pointee.pw_gid)
    }
  }

  private static func become(_ owner: Owner) throws(DaemonFailure) {
    let hasGroups: Bool
    if let entry = getpwuid(owner.user) {
      let (name, group) = (entry.pointee.pw_name, entry.pointee.pw_gid)
      hasGroups = name.map { initgroups($0, group) } == 0 && setgid(group) == 0
    } else {
      hasGroups = setgroups(0, nil) == 0 && setgid(owner.group) == 0
    }
    guard hasGroups, setuid(owner.user) == 0 else {
      throw DaemonFailure(
        .configuration,
        "can't become the owner of \(owner.directory): \(String(cString: strerror(errno)))",
        hint: "Run this command as the user with the id \(owner.user).")
    }
  }
}
