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
