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
    let reason = String(cString: strerror(error.errno))
    let code: Code =
      switch (error.operation, error.errno) {
      // After a failed sync the disk's contents are unknown, whatever the reason was.
      case (.synchronize, _): .io
      case (_, ENOSPC), (_, EDQUOT): .noSpace
      case (_, ELOOP), (_, ENXIO), (_, ENOTDIR), (_, EISDIR), (_, EACCES), (_, EPERM), (.create, EEXIST):
        .refused
      default: .io
      }
    let message = "cannot \(error.operation.rawValue) \(path): \(reason)"
    self.init(code, message, hint: Self.hint(error.errno), errno: error.errno)
  }

  /// What to do, where the error number allows more than the code's own hint.
  private static func hint(_ errno: Int32) -> String? {
    switch errno {
    case EMFILE, ENFILE: "Raise LimitNOFILE= of the unit, or ulimit -n: each stream needs about five files."
    case EFBIG: "Raise LimitFSIZE= of the unit, or ulimit -f, or lower segment_size in [spool]."
    case EROFS:
      "Mount the file system for writing. If the kernel has made it read-only, its log gives the reason."
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
