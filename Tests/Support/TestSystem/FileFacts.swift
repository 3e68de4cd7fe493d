package import Glibc

/// What `lstat` reports about a file.
package struct FileFacts {
  package enum Kind { case file, directory, socket, other }

  package var kind: Kind
  /// Permissions, with the set-id bits and the sticky bit.
  package var mode: mode_t
  /// Bytes.
  package var size: Int

  /// Nil where there is no such file.
  package init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFSOCK: .socket
      default: .other
      }
    mode = status.st_mode & 0o7777
    size = Int(status.st_size)
  }
}
