public import BoxEvents
import Glibc

extension StoreFailure {
  /// What a failed system call means for the store: the one place where error numbers are judged.
  /// - Parameter path: what the call was about, for people.
  public init(_ error: DiskError, path: String) {
    let reason = String(cString: strerror(error.errno))
    let code: Code =
      switch (error.operation, error.errno) {
      // After a failed sync nobody knows what is on disk, whatever the reason was.
      case (.synchronize, _): .io
      case (_, ENOSPC), (_, EDQUOT): .noSpace
      case (_, ELOOP), (_, ENXIO), (_, ENOTDIR), (_, EISDIR), (_, EACCES), (_, EPERM), (.create, EEXIST):
        .refused
      default: .io
      }
    self.init(
      code, "cannot \(error.operation.rawValue) \(path): \(reason)",
      hint: [EMFILE, ENFILE].contains(error.errno)
        ? "Raise LimitNOFILE= of the unit, or ulimit -n: each stream needs about five." : Self.hint(code),
      errno: error.errno)
  }

  private static func hint(_ code: Code) -> String? {
    switch code {
    case .noSpace: "Make room on this file system; nothing is lost, and work goes on by itself."
    case .refused:
      "It must be a plain file or directory that belongs to the daemon's user, "
        + "with the permissions the daemon gave it."
    case .io: "See the kernel's log for errors of the disk."
    case .blocked, .locked: nil
    }
  }
}
