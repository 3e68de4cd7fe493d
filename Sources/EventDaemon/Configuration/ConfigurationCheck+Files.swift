import BoxClient
import Glibc
import SystemPackage

/// Directories and files the daemon needs.
extension ConfigurationCheck {
  /// - Parameter madeByUnit: the directories that the unit makes when it starts.
  mutating func checkDirectories(_ configuration: Configuration, madeByUnit: [String: String]) {
    let directories = [
      (configuration.spool.directory, "[spool] directory"),
      (configuration.state.directory, "[state] directory"),
    ]
    for (path, name) in directories {
      if madeByUnit.values.contains(path), access(path, F_OK) != 0 {
        note("\(name), \(path), isn't there now", hint: "the unit makes it when it starts")
      } else {
        checkDirectory(path, name)
      }
    }
    let socket = configuration.status.socket
    let folder = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? ""
    let isThere = access(folder.isEmpty ? "/" : folder, F_OK) == 0
    if isThere {
      checkDirectory(folder.isEmpty ? "/" : folder, "the folder of [status] socket", needsOwner: false)
    } else {
      note("\(folder) isn't there now", hint: "systemd makes it when the service starts (RuntimeDirectory=)")
    }
  }

  /// A directory must be ours, and closed to other writers: what others can rename, they can replace.
  private mutating func checkDirectory(_ path: String, _ name: String, needsOwner: Bool = true) {
    let status: Stat
    do throws(Errno) {
      status = try Stat(FilePath(path))
    } catch {
      checkMissing(path, name, error.rawValue)
      return
    }
    let owner = status.userID.rawValue
    let before = findings.count
    if status.type != .directory {
      problem("\(name), \(path): not a directory", hint: "remove it, or name another directory")
    } else if needsOwner, owner != geteuid() {
      problem(
        "\(name), \(path): belongs to user \(owner), not to \(geteuid())",
        hint: "run the check as the service's user, or chown it")
    } else if needsOwner, status.permissions.contains(.otherWrite) {
      problem("\(name), \(path): everybody may write to it", hint: "chmod o-w \(path)")
    } else if access(path, R_OK | W_OK | X_OK) != 0 {
      problem("\(name), \(path): not writable", hint: "let user \(geteuid()) read, write and enter it")
    }
    if findings.count == before { fine("\(name), \(path)") }
  }

  private mutating func checkMissing(_ path: String, _ name: String, _ number: CInt) {
    guard number == ENOENT else {
      problem("\(name), \(path): \(String(cString: strerror(number)))", hint: "look at \(path)")
      return
    }
    var parent = path[...]
    repeat {
      parent = parent.prefix(upTo: parent.lastIndex(of: "/") ?? parent.startIndex)
    } while !parent.isEmpty && access(String(parent), F_OK) != 0
    if access(parent.isEmpty ? "/" : String(parent), W_OK | X_OK) == 0 {
      fine("\(name), \(path): will be created")
    } else {
      problem("\(name), \(path): not there", hint: "install -d -o USER -m 0700 \(path)")
    }
  }

  mutating func checkCertificates(_ box: Configuration.Box) {
    do {
      if try box.trustRoots() != nil, let path = box.caFile { fine("[box] ca_file, \(path)") }
    } catch {
      problem("[box] ca_file, \(error.message)", hint: error.hint)
    }
  }
}

extension Configuration.Box {
  /// The certificates of `ca_file`; nil where it isn't set.
  /// - Throws: a problem that names the file.
  func trustRoots() throws(ClientSettingsError) -> TrustRoots? {
    guard let caFile else { return nil }
    let contents: FileContents
    do throws(FileContents.Refusal) {
      contents = try FileContents(caFile, maximumSize: 16 << 20)
    } catch {
      throw ClientSettingsError("ca_file", "\(caFile): \(error.message)", hint: error.hint)
    }
    return try TrustRoots(pem: contents.bytes, path: caFile)
  }
}
