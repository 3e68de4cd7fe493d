package import BoxEvents
import Glibc

extension StoreFailure {
  /// What a failed system call means for the store: the one place where error numbers are checked.
  /// - Parameter path: what the call was about, for people.
  package init(_ error: DiskError, path: String) {
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
      code, "cannot \(error.operation.rawValue) \(path): \(reason)", hint: Self.hint(error.errno),
      errno: error.errno)
  }

  /// Where the error's number says more about the way out than the code it is sorted into.
  private static func hint(_ errno: Int32) -> String? {
    switch errno {
    case EMFILE, ENFILE: "Raise LimitNOFILE= of the unit, or ulimit -n: each stream needs about five."
    case EFBIG: "Raise LimitFSIZE= of the unit, or ulimit -f, or lower segment_size in [spool]."
    case EROFS: "Mount the file system for writing; if the kernel did this itself, its log says why."
    case ENOENT: "If it was moved away or deleted, put it back; else make it, and check the configured paths."
    default: nil
    }
  }
}
