import BoxEvents
import Glibc
import Spool
import SystemPackage

/// What the service finds that this process doesn't: its user, its sandbox, and another daemon.
extension ConfigurationCheck {
  /// The user that the service runs as: of its unit, of the packaged ones, or this process's.
  var serviceUser: String {
    let name = unit?.user ?? "box-eventd"
    if geteuid() == 0, getpwnam(name) != nil { return name }
    return DiskDirectory.Access.userName
  }

  /// Whether this is root, and the service another user that has a directory.
  func isOfService(_ owner: uid_t) -> Bool {
    geteuid() == 0 && owner != 0 && owner == getpwnam(serviceUser)?.pointee.pw_uid
  }

  /// Whether a directory that was opened as root should be the service's, which is reported.
  mutating func isOfRoot(_ path: String, _ name: String, _ access: DiskDirectory.Access) -> Bool {
    guard geteuid() == 0, let user = getpwnam(serviceUser)?.pointee.pw_uid, user != 0,
      DiskDirectory.Access.isOfUnit(path)
    else { return false }
    // systemd gives the state to the service when it starts: systemd.exec(5), "StateDirectory=".
    add(
      access == .own ? .note : .problem, "\(name), \(path): belongs to root, not to \(serviceUser)",
      hint: access.ownerRemedy(path, user: serviceUser))
    return true
  }

  mutating func noteSandbox(_ path: String, _ name: String, _ configuration: Configuration) {
    guard let unit, !unit.canWrite(to: path) else { return }
    add(
      .note, "\(name), \(path): the unit can't write to it",
      hint: "Run systemctl edit \(configuration.unit), and add ReadWritePaths=\(path) below [Service].")
  }

  mutating func noteFreeSpace(_ spool: Configuration.Spool) {
    var status = statvfs()
    guard statvfs(spool.directory, &status) == 0 else { return }
    let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    guard !overflow, free < UInt64(spool.keepFree.bytes) else { return }
    add(
      .note, "[spool] directory, \(spool.directory): less than keep_free is left: \(free >> 20) MiB",
      hint: "Free some space, or lower keep_free: until then the daemon reads nothing.")
  }

  /// Notes directories that another daemon has locked. This configuration's own one has both, and is its unit's.
  mutating func noteOtherDaemons(_ configuration: Configuration) {
    let directories = [
      ("[spool] directory", configuration.spool.directory),
      ("[state] directory", configuration.state.directory),
    ]
    let holders = directories.map { InstanceLock.runningHolder(of: $0.1) }
    for ((name, path), holder) in zip(directories, holders) {
      guard let holder else { continue }
      let isOwn = unit.map { $0.mainPID == holder } ?? holders.allSatisfy { $0 == holder }
      if isOwn { continue }
      add(
        .note, "\(name), \(path): in use by process \(holder)",
        hint: "Stop that box-eventd, or give each one directories of its own.")
    }
  }

  /// Files that the daemon writes and that belong to another user would block the stream.
  mutating func checkOwners(of folder: String, _ isReload: Bool) {
    // Another user's directory is reported as such.
    guard !isOutside, let root = try? Stat(FilePath(folder).removingLastComponent()),
      root.userID.rawValue == geteuid()
    else { return }
    let names = (try? FileContents.names(in: folder)) ?? []
    let newest = names.filter { $0.hasPrefix("events-") }.max()
    let paths = names.filter { !$0.hasPrefix("events-") || $0 == newest }.sorted().map { "\(folder)/\($0)" }
    let foreign = ([folder] + paths).compactMap { path -> (path: String, owner: uid_t)? in
      guard let status = try? Stat(FilePath(path), followTargetSymlink: false),
        status.userID.rawValue != geteuid(), [.regular, .directory].contains(status.type)
      else { return nil }
      return (path, status.userID.rawValue)
    }
    guard let first = foreign.first else { return }
    let others = foreign.count > 1 ? " (and \(foreign.count - 1) more there)" : ""
    add(
      isReload ? .note : .problem,
      "\(first.path): belongs to user \(first.owner), not to \(geteuid())\(others)",
      hint: "Run as root: chown -R \(DiskDirectory.Access.userName) \(folder).")
  }
}
