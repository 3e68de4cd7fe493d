import EventDaemon
import Glibc

/// Started as root, a command that touches the state first becomes its owner, so that it leaves
/// nothing behind the service can't use, and sees what the service would see.
enum StateOwner {
  /// Becomes the owner of the configured state directory. Does nothing for other users than root, and
  /// where root owns the directory or there is none.
  static func become(of configurationPath: String, environment: [String: String]) {
    guard geteuid() == 0,
      let configuration = try? Configuration.load(configurationPath, environment: environment)
    else { return }
    var status = stat()
    guard stat(configuration.state.directory, &status) == 0, status.st_uid != 0 else { return }
    if let entry = getpwuid(status.st_uid) {
      initgroups(entry.pointee.pw_name, entry.pointee.pw_gid)
      setgid(entry.pointee.pw_gid)
    } else {
      setgroups(0, nil)
      setgid(status.st_gid)
    }
    setuid(status.st_uid)
  }
}
