import Dispatch
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

  /// Does the same for a command that needs secrets, and gives it those of the unit.
  /// - Parameter makesState: make a missing state directory for its owner, as the unit does when it starts.
  package static func become(
    of configurationPath: String, environment: [String: String], makesState: Bool,
    _ work: (_ environment: [String: String]) async throws -> Void
  ) async throws {
    var environment = environment
    let owner = owner(configurationPath, environment)
    let credentials = UnitCredentials(of: configurationPath, environment: environment, for: owner?.user ?? 0)
    let interruptions = credentials?.removedOnInterruption()
    defer { withExtendedLifetime(interruptions) { credentials?.remove() } }
    if let credentials { environment["CREDENTIALS_DIRECTORY"] = credentials.folder }
    if let owner {
      if makesState, mkdir(owner.directory, 0o700) == 0 { chown(owner.directory, owner.user, owner.group) }
      try become(owner)
    }
    try await work(environment)
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

/// The secrets the unit of a configuration gets as credentials, for commands in a shell.
///
/// systemd hands credentials to the service alone: systemd.exec(5), "LoadCredential=". Root can read their sources:
/// the running unit's own, or plain ones in the credential stores. A command that then becomes the service's user
/// needs copies: they lie in memory, open to that user alone, until the command ends.
private struct UnitCredentials {
  /// A folder like the service's `$CREDENTIALS_DIRECTORY`.
  let folder: String
  private var files: [String] = []

  /// Nil unless started as root, outside of the service, with a credential to be seen.
  init?(of configurationPath: String, environment: [String: String], for user: uid_t) {
    guard geteuid() == 0, environment["CREDENTIALS_DIRECTORY"] == nil else { return nil }
    let unit = Configuration.unit(of: configurationPath)
    let found = SecretFile.Kind.allCases.compactMap { kind in Self.bytes(of: kind, unit).map { (kind, $0) } }
    guard !found.isEmpty, let folder = Self.madeFolder() else { return nil }
    self.folder = folder
    for (kind, bytes) in found {
      let path = "\(folder)/\(kind.rawValue)"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
      guard descriptor >= 0 else { continue }
      _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      fchown(descriptor, user, gid_t.max)
      close(descriptor)
      files.append(path)
    }
    chown(folder, user, gid_t.max)
  }

  /// Deletes the copies.
  func remove() {
    for file in files { unlink(file) }
    rmdir(folder)
  }

  /// Deletes the copies also when a signal ends the command, as Ctrl-C does, until the result is released.
  func removedOnInterruption() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        remove()
        signal(number, SIG_DFL)
        kill(getpid(), number)
      }
      source.resume()
      return source
    }
  }

  private static func bytes(of kind: SecretFile.Kind, _ unit: String) -> [UInt8]? {
    let paths =
      ["/run/credentials/\(unit).service/\(kind.rawValue)"]
      + ["/etc", "/run", "/usr/lib"].map { "\($0)/credstore/\(unit).\(kind.rawValue)" }
    return paths.lazy.compactMap { try? FileContents($0, maximumSize: SecretFile.maximumSize).bytes }.first
  }

  private static func madeFolder() -> String? {
    var template = Array("/dev/shm/box-eventd-XXXXXX".utf8CString)
    return template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
  }
}
