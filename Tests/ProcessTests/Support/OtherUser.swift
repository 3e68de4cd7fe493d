import Glibc

/// A user that isn't root and owns nothing yet: the program is refused what root is never refused.
enum OtherUser {
  static let id: uid_t = 65_534
  static let group = getgrgid(id).map { String(cString: $0.pointee.gr_name) } ?? "\(id)"
  static let name = getpwuid(id).map { String(cString: $0.pointee.pw_name) } ?? "user \(id)"

  /// Becomes that user, without groups, and runs the program that follows. It is opened before: the user needn't be
  /// able to enter the build's folder.
  static let command = [
    "/bin/sh", "-c",
    #"exec 9<"$0"; exec setpriv --reuid=65534 --regid=65534 --clear-groups /proc/self/fd/9 "$@""#,
  ]

  /// Whether this test may become another user, and that one may run the program.
  static let isAvailable: Bool = {
    let variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    let child = try? ChildProcess(
      command + [Executable.path, "--version"], environment: variables, output: "/dev/null",
      errors: "/dev/null")
    while child?.isRunning == true { usleep(1000) }
    let isAvailable = geteuid() == 0 && child?.exit == .code(0)
    if !isAvailable { print("SKIPPED: tests as another user need root, other user ids, and setpriv") }
    return isAvailable
  }()
}
