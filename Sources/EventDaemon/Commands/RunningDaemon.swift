import BoxEvents
import FoundationEssentials
package import Glibc
import SystemPackage

extension Configuration {
  /// The process that holds the lock of the state or the spool now; nil where none does, or where this user can't see it.
  ///
  /// Found without taking the lock, which would refuse it to a daemon that starts. See proc_locks(5).
  package var runningDaemon: pid_t? {
    [state.directory, spool.directory].lazy.compactMap { directory in
      let file = "\(directory)/.lock"
      guard let inode = (try? Stat(FilePath(file), followTargetSymlink: false))?.inode.rawValue,
        let holder = Self.text(of: file).flatMap({ pid_t($0.prefix { !$0.isWhitespace }) })
      else { return nil }
      // `3: FLOCK  ADVISORY  WRITE 8393 fe:00:16737104 0 EOF`
      let isHeld = Self.text(of: "/proc/locks")?.split(separator: "\n").contains { line in
        let words = line.split(separator: " ")
        return words.contains("FLOCK") && words.contains("\(holder)")
          && words.contains { $0.hasSuffix(":\(inode)") }
      }
      return isHeld == true ? holder : nil
    }.first
  }

  private static func text(of path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension StatusFailure {
  /// Nothing listens on the socket of a daemon that runs.
  package init(of daemon: pid_t, socket: String, unit: String) {
    self.init(
      .notRunning, "box-eventd runs as process \(daemon), but nothing listens on \(socket)",
      hint: "The daemon makes a socket that was removed again within 10 s. If it doesn't, run: "
        + "systemctl restart \(unit).")
  }
}
