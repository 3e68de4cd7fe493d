import BoxEvents
import Glibc
import Spool
import SystemPackage

/// The spool's, the state's and the socket's directory.
extension ConfigurationCheck {
  /// - Parameter madeByUnit: the directories that the unit makes when it starts.
  mutating func checkDirectories(_ configuration: Configuration, madeByUnit: Set<String>) {
    do throws(DaemonFailure) {
      try configuration.checkDirectoriesAreApart()
    } catch {
      add(.problem, error.message, hint: error.hint)
    }
    let directories: [(String, String, DiskDirectory.Access)] = [
      (configuration.spool.directory, "[spool] directory", .shared),
      (configuration.state.directory, "[state] directory", .own),
    ]
    for (path, name, access) in directories {
      if DiskDirectory.Access.isHidden(path), geteuid() == getpwnam("box-eventd")?.pointee.pw_uid {
        add(.note, "\(name), \(path): the unit can't see it", hint: DiskDirectory.Access.hiddenHint)
      }
      if Glibc.access(path, F_OK) == 0 || errno != ENOENT {
        checkDirectory(path, name, access)
        noteSandbox(path, name, configuration)
        if access == .shared {
          noteFreeSpace(configuration.spool)
          noteMissingLinks(path, configuration)
          for loss in ReaderAccess(configuration).losses() { add(.note, loss.message, hint: loss.hint) }
        }
      } else if madeByUnit.contains(path) {
        add(.note, "\(name), \(path), does not exist yet", hint: "The unit makes it when it starts.")
      } else {
        checkParent(of: path, name, access)
      }
    }
    let folder = Self.parent(of: configuration.status.socket)
    if access(folder, F_OK) == 0 || errno != ENOENT {
      checkDirectory(folder, "the folder of [status] socket", .reading)
    } else if madeByUnit.contains(folder), folder != "/run/box-eventd" {
      add(.note, "\(folder) does not exist yet", hint: "The unit makes it when it starts.")
    } else if folder == "/run/box-eventd" {
      add(
        .note, "\(folder) does not exist yet",
        hint: "It is made at boot, or by: systemd-tmpfiles --create box-eventd.conf.")
    } else {
      add(
        .problem, "the folder of [status] socket, \(folder), does not exist",
        hint: DiskDirectory.Access.shared.remedy(folder, errno: ENOENT))
    }
  }

  /// Opens a directory and its lock as `run` does.
  private mutating func checkDirectory(_ path: String, _ name: String, _ access: DiskDirectory.Access) {
    do throws(StoreFailure) {
      let directory = try DiskDirectory.root(path, on: disk, access: access)
      defer { directory.close() }
      if access != .reading, isOfRoot(path, name, access) { return }
      if access != .reading { lockHolders += [try InstanceLock.holder(of: directory)].compactMap(\.self) }
      if Glibc.access(path, R_OK | W_OK | X_OK) == 0 {
        checkFileSystem(directory, name)
      } else {
        let code = errno
        let hint =
          code == EROFS ? StoreFailure.readOnlyHint : "Let user \(geteuid()) read, write and enter it."
        add(.problem, "\(name), \(path): not writable", hint: hint, isDenied: code == EACCES)
      }
    } catch {
      let status = try? Stat(FilePath(path))
      if let status, status.type != .directory {
        add(.problem, "\(name), \(path): not a directory", hint: "Remove it, or name another directory.")
      } else if error.errno == EPERM, let owner = status?.userID.rawValue, isOfService(owner) {
        add(
          .note, "\(name), \(path): not checked: it belongs to \(serviceUser), and this check runs as root",
          hint: "The check becomes the owner of [state] directory: give that one to \(serviceUser).")
      } else if error.errno == EPERM, let owner = status?.userID.rawValue, owner != geteuid() {
        add(
          .problem, "\(name), \(path): belongs to user \(owner), not to \(geteuid())",
          hint: access.ownerRemedy(path, user: serviceUser), isDenied: true)
      } else if error.errno == EPERM, let mode = status?.permissions.rawValue, mode & 0o002 != 0 {
        add(.problem, "\(name), \(path): everybody may write to it", hint: "Run: chmod o-w \(path).")
      } else {
        add(.problem, "\(name): \(error.message)", hint: error.hint, isDenied: error.errno == EACCES)
      }
    }
  }

  /// Tries out what the daemon does there.
  private mutating func checkFileSystem(_ directory: DiskDirectory, _ name: String) {
    let abilities: DiskDirectory.Abilities
    do throws(StoreFailure) {
      abilities = directory.access == .reading ? .all : try directory.probe(".check-\(getpid())")
    } catch {
      // The daemon would wait for free space.
      return add(
        error.code == .noSpace ? .note : .problem, "\(name): \(error.message)", hint: error.hint)
    }
    add(.fine, "\(name), \(directory.path)")
    if !abilities.syncsDirectories {
      add(
        .note, "\(name), \(directory.path): its file system can't sync directories",
        hint: "After a power cut its newest files may be missing. Prefer a local file system.")
    }
    if !abilities.hasLinks {
      add(
        .note, "\(name), \(directory.path): its file system doesn't have symbolic links",
        hint: "Programs must follow the newest segment: the link \"current\" will be missing.")
    }
  }

  /// Reads the positions, without a lock, to find those of another feed. A reload stops no other stream for them, and
  /// doesn't apply [auth].
  mutating func checkPositions(_ configuration: Configuration, _ isReload: Bool) {
    func root(_ path: String) -> DiskDirectory? { try? .root(path, on: disk, access: .reading) }
    // A directory that can't be opened is reported as such.
    guard let spool = root(configuration.spool.directory) else { return }
    defer { spool.close() }
    guard let state = root(configuration.state.directory) else { return }
    defer { state.close() }
    for stream in configuration.streams {
      for root in [spool, state] { checkOwners(of: "\(root.path)/\(stream.name)", isReload) }
      let location = StreamSpool.Location(
        name: stream.name, feed: configuration.feedIdentity(of: stream), spoolRoot: spool, stateRoot: state)
      do throws(StoreFailure) {
        guard let foreign = try StoppedStream(location, bootID: "").foreign() else { continue }
        add(isReload ? .note : .problem, foreign.message, hint: foreign.hint)
      } catch {
        add(
          .note, "stream \(stream.name): position not checked: \(error.message)", hint: error.hint,
          isDenied: error.errno == EACCES)
      }
    }
  }

  /// Notes streams that have segments and no link to the newest, as on a file system without symbolic links.
  private mutating func noteMissingLinks(_ spool: String, _ configuration: Configuration) {
    for stream in configuration.streams {
      let folder = "\(spool)/\(stream.name)"
      guard let directory = try? DiskDirectory.root(folder, on: LocalDisk(), access: .reading)
      else { continue }
      defer { directory.close() }
      guard let link = try? directory.missingLink() else { continue }
      add(
        .note, "\(folder)/\(link) is missing",
        hint: "The next start makes it if the file system has symbolic links; else follow the newest segment."
      )
    }
  }

  /// The daemon makes the last part of a path, no more.
  private mutating func checkParent(of path: String, _ name: String, _ access: DiskDirectory.Access) {
    if Glibc.access(Self.parent(of: path), W_OK | X_OK) == 0 {
      add(.fine, "\(name), \(path): will be created")
    } else {
      let reason = errno == ENOENT ? "its parent folder does not exist" : "it can't be created"
      add(
        .problem, "\(name), \(path): \(reason)", hint: access.remedy(path, errno: errno))
    }
  }

  private static func parent(of path: String) -> String {
    let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
    return parent.isEmpty ? "/" : String(parent)
  }
}
