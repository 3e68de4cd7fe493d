package import BoxEvents
import Glibc

/// Keeps a second instance out of a directory, until it is released or the process ends.
///
/// The lock is on a file `.lock`, which stays; its text is the holder's process id.
package struct InstanceLock: Sendable {
  private static let name = ".lock"
  private let file: DiskFile
  let processID: Int32

  /// Takes the lock of a spool or state directory.
  /// - Parameter processID: this process, written into the file for the message of a second instance.
  /// - Throws: `locked` if another process has it, with its id where that is known.
  package init(_ directory: DiskDirectory, processID: Int32) throws(StoreFailure) {
    self.processID = processID
    file = try directory.madeFile(Self.name)
    try closingOnFailure(file.close) { () throws(StoreFailure) in
      guard try file.lock() else { throw Self.taken(directory, file) }
      try Self.sign(file, processID)
    }
  }

  /// The process that has locked a directory last, whether it still runs or not; nil where none has.
  /// - Throws: what would keep this process from the lock's file.
  package static func holder(of directory: DiskDirectory) throws(StoreFailure) -> Int32? {
    guard let file = try directory.file(name, writing: true) else { return nil }
    defer { file.close() }
    return holder(file)
  }

  /// The process that has locked a directory now, as far as `/proc/locks` tells: locking it to find out could keep a
  /// daemon that starts at this moment from it. See proc_locks(5).
  package static func runningHolder(of path: String) -> Int32? {
    guard let root = try? DiskDirectory.root(path, on: LocalDisk(), access: .reading) else { return nil }
    defer { root.close() }
    guard let file = (try? root.file(name, writing: false)) ?? nil else { return nil }
    defer { file.close() }
    guard let process = holder(file) else { return nil }
    let holders = LockHolder.processes(in: LockHolder.locks, of: file.id, onAnyDevice: true)
    return holders.contains(process) ? process : nil
  }

  /// Lets another process lock the directory.
  package func release() { file.close() }

  /// Writes this process's id. On a full disk it stays unknown to others, and the lock still holds.
  private static func sign(_ file: DiskFile, _ processID: Int32) throws(StoreFailure) {
    let text = Array("\(processID)\n".utf8)
    do throws(StoreFailure) {
      try file.write(text, at: 0)
      try file.truncate(to: text.count)
    } catch let error where error.code == .noSpace {}
  }

  private static func holder(_ file: DiskFile) -> Int32? {
    guard let bytes = try? file.bytes(in: 0..<16) else { return nil }
    return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
  }

  /// What to do about the holder if it is another box-eventd.
  package static let instanceHint =
    "Stop the other box-eventd, or configure other directories for this one."

  private static func taken(_ directory: DiskDirectory, _ file: DiskFile) -> StoreFailure {
    let signed = holder(file)
    // Its signature outlives a process. Any other may have locked the file: flock(1), as for a backup.
    let process = LockHolder.process(of: file.id, signed: signed)
    let hint = process.map { "See: ps -p \($0)." } ?? "See which, as root: lslocks."
    return StoreFailure(
      .locked, "\(directory.path) is in use by \(process.map { "process \($0)" } ?? "another process")",
      hint: process != nil && process == signed
        ? instanceHint : hint + " Wait until it has ended, as a backup does, or stop it.",
      holder: process)
  }
}

/// Keeps other processes from a file while this one replaces its contents. Only those that take the lock too.
package struct FileLock: Sendable {
  private let file: DiskFile

  /// Takes the lock of a file, made if it is missing; nil if another process has it.
  package init?(_ name: String, in directory: DiskDirectory) throws(StoreFailure) {
    let file = try directory.madeFile(name)
    let isTaken = try closingOnFailure(file.close) { () throws(StoreFailure) in try file.lock() }
    guard isTaken else {
      file.close()
      return nil
    }
    self.file = file
  }

  package func release() { file.close() }
}

/// Which process has a file's lock, as /proc shows it.
enum LockHolder {
  /// A process that runs: one with the lock in /proc/locks, else the one that has signed the file, if it has a lock on
  /// that inode of another device, as some file systems show it there, or has it open. Nil where none can be seen:
  /// containers don't see the host's.
  static func process(of id: FileStatus.ID, signed: Int32?) -> Int32? {
    let locks = Self.locks
    let known = processes(in: locks, of: id).first { kill($0, 0) == 0 || errno == EPERM }
    guard known == nil, let signed else { return known }
    let isSeen = processes(in: locks, of: id, onAnyDevice: true).contains(signed) || hasOpen(id, signed)
    return isSeen ? signed : nil
  }

  /// Those with a lock of flock(2); the format is in proc_locks(5).
  static func processes(
    in locks: String, of id: FileStatus.ID, onAnyDevice: Bool = false
  ) -> [Int32] {
    // As makedev(3) puts them together.
    let major = id.device >> 8 & 0xfff | id.device >> 32 & 0xffff_f000
    let minor = id.device & 0xff | id.device >> 12 & 0xffff_ff00
    return locks.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 5, fields[1] == "FLOCK", let process = Int32(fields[4]), process > 0
      else { return nil }
      let file = fields[5].split(separator: ":")
      guard file.count == 3, UInt64(file[2]) == id.inode else { return nil }
      let isSame = UInt64(file[0], radix: 16) == major && UInt64(file[1], radix: 16) == minor
      return isSame || onAnyDevice ? process : nil
    }
  }

  fileprivate static var locks: String {
    let directory = Self.directory("/proc")
    defer { directory?.close() }
    guard let file = try? directory?.file("locks", writing: false) else { return "" }
    defer { file.close() }
    return String(decoding: (try? file.bytes(in: 0..<1 << 20)) ?? [], as: UTF8.self)
  }

  private static func directory(_ path: String) -> DiskDirectory? {
    try? .root(path, on: LocalDisk(), access: .reading)
  }

  private static func hasOpen(_ id: FileStatus.ID, _ process: Int32) -> Bool {
    let path = "/proc/\(process)/fd"
    let directory = Self.directory(path)
    defer { directory?.close() }
    return ((try? directory?.names()) ?? []).contains { name in
      var status = stat()
      guard stat("\(path)/\(name)", &status) == 0 else { return false }
      return id == FileStatus.ID(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
  }
}
