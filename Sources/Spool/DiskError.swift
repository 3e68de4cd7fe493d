package import BoxEvents
import Glibc

/// A system call that failed.
package struct DiskError: Error, Hashable, Sendable {
  /// What was tried. The raw value completes the sentence `cannot …`.
  package enum Operation: String, Hashable, Sendable, CaseIterable {
    case open
    case create
    case makeDirectory = "make the directory"
    case status = "examine"
    case setMode = "set the mode of"
    case read
    case write
    case truncate
    case synchronize = "sync"
    case list
    case link
    case rename
    case remove
    case space = "ask for the free space of"
    case lock
  }

  package var operation: Operation
  /// The system's error number.
  package var errno: Int32

  package init(_ operation: Operation, errno: Int32) {
    self.operation = operation
    self.errno = errno
  }

  /// The system's words, but for what is opened in place of a file: those are about devices and many links.
  fileprivate var reason: String {
    switch (operation, errno) {
    case (.open, EISDIR): "it is a directory"
    case (.open, ENXIO): "it is not a plain file"
    case (.open, ELOOP): "it is a symbolic link, or a loop of them"
    default: String(cString: strerror(errno))
    }
  }
}

/// Runs a system call. `path` is the file or directory that it is about, for the message.
func attempt<Result>(
  _ path: @autoclosure () -> String, _ call: () throws(DiskError) -> Result
) throws(StoreFailure) -> Result {
  do throws(DiskError) { return try call() } catch { throw StoreFailure(error, path: path()) }
}

/// Runs `body`, and `close` if it fails: repeated on a full disk, descriptors left open would add up.
func closingOnFailure<Result, Failure>(
  _ close: () -> Void, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  do throws(Failure) {
    return try body()
  } catch {
    close()
    throw error
  }
}

extension StoreFailure {
  /// What a failed system call means for the store: the one place where error numbers are checked.
  package init(_ error: DiskError, path: String) {
    let code: Code =
      switch (error.operation, error.errno) {
      // A full NFS server or quota may appear only here.
      case (.synchronize, ENOSPC), (.synchronize, EDQUOT), (.synchronize, EFBIG): .noSpace
      // After a failed sync the disk's contents are unknown, whatever the reason was.
      case (.synchronize, _): .io
      case (_, ENOSPC), (_, EDQUOT): .noSpace
      case (_, ELOOP), (_, ENXIO), (_, ENOTDIR), (_, EISDIR), (_, EACCES), (_, EPERM), (.create, EEXIST):
        .refused
      default: .io
      }
    let message = "cannot \(error.operation.rawValue) \(path): \(error.reason)"
    self.init(code, message, hint: Self.hint(error), errno: error.errno)
    isUnproven = code == .noSpace && error.operation == .synchronize
  }

  /// What to do about EROFS, which the sandbox of the unit gives too.
  package static let readOnlyHint =
    "For a directory outside of the unit's, run systemctl edit on the unit and add ReadWritePaths= with it below "
    + "[Service]. Else mount the file system for writing; if the kernel made it read-only, check the file system first: "
    + "the reason is in journalctl -k."

  /// What to do, where the error number allows more than the code's own hint.
  private static func hint(_ error: DiskError) -> String? {
    switch error.errno {
    case _ where error.operation == .lock && [ENOLCK, EOPNOTSUPP, ENOSYS].contains(error.errno):
      "Its file system can't lock files now. On NFS, start the lock service, or mount it with local_lock=flock "
        + "if no other host uses it; else configure a local directory."
    case EPERM where error.operation == .setMode:
      "Its file system can't set permissions. Mount FAT, exFAT or CIFS with the daemon's uid= and gid=, "
        + "fmask=0137 (CIFS: file_mode=0640) and dmask=0027 (dir_mode=0750), or configure another directory."
    case EPERM:
      "The daemon needs its own file or directory there, which belongs to the daemon's user, is closed to other "
        + "writers, and isn't immutable (lsattr). Correct it (chown, chmod o-w, chattr -i), or move it away."
    case EACCES:
      "Let the daemon's user into it and every directory above it: namei -l shows them. The unit sees nothing below "
        + "/home, /root, /run/user and /tmp."
    case EDQUOT: "Free some space in the quota, or raise it: nothing is lost, and box-eventd then goes on."
    case EMFILE, ENFILE:
      "Raise LimitNOFILE= of the unit, or ulimit -n: a stream needs one, and 64 of them four more."
    case EFBIG: "Raise LimitFSIZE= of the unit, or ulimit -f, or lower segment_size in [spool]."
    case EROFS: readOnlyHint
    case ENOENT: "Put it back if it was moved or deleted; else create it, and check the configured paths."
    default: nil
    }
  }

  /// Whether it is the fault of a file, which others may do without, rather than of this process.
  var isOfOneFile: Bool {
    switch code {
    case .io, .refused: errno != EMFILE && errno != ENFILE && errno != ENOMEM
    case .noSpace, .blocked, .locked, .misuse: false
    }
  }
}
