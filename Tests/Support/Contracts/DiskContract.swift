import Glibc
package import Spool

/// What every ``Disk`` must do, in a directory of its own: the kernel's answers, as far as the spool relies on
/// them. The reference is ``LocalDisk``.
///
/// A test applies each clause to each implementation; another disk is one more line there
/// (`Tests/SpoolTests/DiskContractTests.swift`).
package struct DiskContract: Sendable, CustomStringConvertible {
  package let description: String
  private let body: @Sendable (any Disk, DiskHandle) throws -> Void

  private init(
    _ description: String, _ body: @escaping @Sendable (any Disk, DiskHandle) throws -> Void
  ) {
    self.description = description
    self.body = body
  }

  /// - Parameter root: the path of an empty directory.
  /// - Throws: ``ContractViolation``, or an error of the disk.
  package func check(_ disk: any Disk, root: String) throws {
    let directory = try disk.openRoot(root)
    defer { disk.close(directory) }
    try body(disk, directory)
  }

  package static let clauses: [DiskContract] = [
    DiskContract("bytes are read where they were written") { disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o640)
      defer { disk.close(file) }
      try write("hello", to: file, at: 3, on: disk)
      try equal(try bytes(of: file, on: disk), [0, 0, 0] + Array("hello".utf8))
      try write("J", to: file, at: 3, on: disk)
      try equal(try bytes(of: file, from: 2, on: disk), [0] + Array("Jello".utf8))
      try equal(try bytes(of: file, from: 8, on: disk), [])
      try equal(try bytes(of: file, from: 100, on: disk), [])
      try equal(try disk.status(file).size, 8)
    },
    DiskContract("a file is seen through every handle, and stays when they are closed") { disk, root in
      let first = try disk.createFile("file", in: root, mode: 0o640)
      let second = try disk.openFile("file", in: root, writing: false)
      try write("text", to: first, at: 0, on: disk)
      disk.close(first)
      try equal(try bytes(of: second, on: disk), Array("text".utf8))
      disk.close(second)
      let third = try disk.openFile("file", in: root, writing: true)
      defer { disk.close(third) }
      try equal(try bytes(of: third, on: disk), Array("text".utf8))
    },
    DiskContract("truncate shortens, and fills with zeros") { disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o640)
      defer { disk.close(file) }
      try write("hello", to: file, at: 0, on: disk)
      try disk.truncate(file, to: 2)
      try disk.truncate(file, to: 4)
      try equal(try bytes(of: file, on: disk), Array("he".utf8) + [0, 0])
    },
    DiskContract("a file is created once, with its mode") { disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o600)
      defer { disk.close(file) }
      try equal(try disk.status(file).mode, 0o600)
      try equal(try disk.status(file).kind, .file)
      try equal(try disk.status(file).owner, disk.userID)
      try disk.setMode(file, 0o640)
      try equal(try disk.status(file).mode, 0o640)
      try fails(.create, EEXIST) { () throws(DiskError) in
        _ = try disk.createFile("file", in: root, mode: 0o600)
      }
      try fails(.open, ENOENT) { () throws(DiskError) in
        _ = try disk.openFile("other", in: root, writing: false)
      }
    },
    DiskContract("directories hold names of their own") { disk, root in
      try disk.makeDirectory("inner", in: root, mode: 0o700)
      try fails(.makeDirectory, EEXIST) { () throws(DiskError) in
        try disk.makeDirectory("inner", in: root, mode: 0o700)
      }
      let inner = try disk.openDirectory("inner", in: root)
      defer { disk.close(inner) }
      try equal(try disk.status(inner).kind, .directory)
      for name in ["b", ".hidden"] { disk.close(try disk.createFile(name, in: inner, mode: 0o600)) }
      for _ in 0..<2 { try equal(try disk.names(in: inner).sorted(), [".hidden", "b"]) }
      try equal(try disk.names(in: root), ["inner"])
      try fails(.open, ENOTDIR) { () throws(DiskError) in _ = try disk.openDirectory("b", in: inner) }
      try fails(.open, ENOENT) { () throws(DiskError) in _ = try disk.openDirectory("c", in: inner) }
      try fails(.open, EISDIR) { () throws(DiskError) in
        _ = try disk.openFile("inner", in: root, writing: true)
      }
    },
    DiskContract("links are read and never followed") { disk, root in
      disk.close(try disk.createFile("file", in: root, mode: 0o600))
      try disk.makeLink("link", to: "file", in: root)
      try equal(try disk.readLink("link", in: root), "file")
      try fails(.open, ELOOP) { () throws(DiskError) in
        _ = try disk.openFile("link", in: root, writing: false)
      }
      try fails(.create, EEXIST) { () throws(DiskError) in
        _ = try disk.createFile("link", in: root, mode: 0o600)
      }
      try fails(.link, EEXIST) { () throws(DiskError) in try disk.makeLink("file", to: "x", in: root) }
      try fails(.read, EINVAL) { () throws(DiskError) in _ = try disk.readLink("file", in: root) }
      try fails(.read, ENOENT) { () throws(DiskError) in _ = try disk.readLink("none", in: root) }
    },
    DiskContract("rename replaces what has the new name") { disk, root in
      for name in ["old", "new"] {
        let file = try disk.createFile(name, in: root, mode: 0o600)
        try write(name, to: file, at: 0, on: disk)
        disk.close(file)
      }
      let replaced = try disk.openFile("new", in: root, writing: false)
      defer { disk.close(replaced) }
      try disk.rename("old", to: "new", in: root)
      try equal(try disk.names(in: root), ["new"])
      let file = try disk.openFile("new", in: root, writing: false)
      defer { disk.close(file) }
      try equal(try bytes(of: file, on: disk), Array("old".utf8))
      try equal(try disk.status(file).links, 1)
      try equal(try disk.status(replaced).links, 0)
      try fails(.rename, ENOENT) { () throws(DiskError) in try disk.rename("old", to: "new", in: root) }
    },
    DiskContract("a name's status tells which file it is") {
      disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o600)
      defer { disk.close(file) }
      try write("text", to: file, at: 0, on: disk)
      try equal(try disk.status(of: "file", in: root), try disk.status(file))
      try disk.rename("file", to: "moved", in: root)
      try equal(try disk.status(of: "moved", in: root).id, try disk.status(file).id)
      try fails(.status, ENOENT) { () throws(DiskError) in _ = try disk.status(of: "file", in: root) }
      disk.close(try disk.createFile("file", in: root, mode: 0o600))
      try ContractViolation.require(
        try disk.status(of: "file", in: root).id != disk.status(file).id, "two files have one id")
      try disk.makeLink("link", to: "moved", in: root)
      try equal(try disk.status(of: "link", in: root).kind, .other)
      try disk.makeDirectory("inner", in: root, mode: 0o700)
      let inner = try disk.openDirectory("inner", in: root)
      defer { disk.close(inner) }
      try equal(try disk.status(of: "inner", in: root).id, try disk.status(inner).id)
      try equal(try disk.status(of: "inner", in: root).kind, .directory)
    },
    DiskContract("a removed file is there for whoever has it open") { disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o600)
      defer { disk.close(file) }
      try write("text", to: file, at: 0, on: disk)
      try equal(try disk.status(file).links, 1)
      try disk.remove("file", in: root)
      try equal(try disk.names(in: root), [])
      try equal(try disk.status(file).links, 0)
      try equal(try bytes(of: file, on: disk), Array("text".utf8))
      try fails(.remove, ENOENT) { () throws(DiskError) in try disk.remove("file", in: root) }
    },
    DiskContract("files and directories are synced, and the free space is known") { disk, root in
      let file = try disk.createFile("file", in: root, mode: 0o600)
      defer { disk.close(file) }
      try write("text", to: file, at: 0, on: disk)
      try disk.synchronizeData(file)
      try disk.synchronizeDirectory(root)
      try ContractViolation.require(try disk.freeBytes(root) > 0, "no free space")
    },
    DiskContract("a lock is held by one handle until that is closed") { disk, root in
      let first = try disk.createFile("lock", in: root, mode: 0o600)
      let second = try disk.openFile("lock", in: root, writing: true)
      defer { disk.close(second) }
      for _ in 0..<2 { try equal(try disk.lock(first), true) }
      try equal(try disk.lock(second), false)
      disk.close(first)
      try equal(try disk.lock(second), true)
    },
    DiskContract("a handle that isn't open is an error of the call") { disk, _ in
      let closed = DiskHandle(rawValue: 1_000_000)
      try fails(.status, EBADF) { () throws(DiskError) in _ = try disk.status(closed) }
      try fails(.truncate, EBADF) { () throws(DiskError) in try disk.truncate(closed, to: 0) }
      try fails(.lock, EBADF) { () throws(DiskError) in _ = try disk.lock(closed) }
      try fails(.synchronize, EBADF) { () throws(DiskError) in try disk.synchronizeData(closed) }
      try fails(.synchronize, EBADF) { () throws(DiskError) in try disk.synchronizeDirectory(closed) }
    },
  ]

  // MARK: Steps

  private static func equal<Value: Equatable>(
    _ found: Value, _ expected: Value, line: Int = #line
  ) throws(ContractViolation) {
    try ContractViolation.requireEqual(found, expected, line: line)
  }

  /// All of the text, however many calls it takes.
  private static func write(
    _ text: String, to file: DiskHandle, at offset: Int, on disk: any Disk
  ) throws {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = try bytes[written...].withUnsafeBytes { try disk.write(file, $0, at: offset + written) }
      try ContractViolation.require(count > 0, "a write makes no progress")
      written += count
    }
  }

  private static func bytes(of file: DiskHandle, from start: Int = 0, on disk: any Disk) throws -> [UInt8] {
    var found: [UInt8] = []
    var buffer = [UInt8](repeating: 0xFF, count: 64)
    while true {
      let count = try buffer.withUnsafeMutableBytes {
        try disk.read(file, into: $0, at: start + found.count)
      }
      if count == 0 { return found }
      found += buffer[..<count]
    }
  }

  private static func fails(
    _ operation: DiskError.Operation, _ errno: Int32, line: Int = #line,
    _ body: () throws(DiskError) -> Void
  ) throws(ContractViolation) {
    let expected = DiskError(operation, errno: errno)
    do throws(DiskError) {
      try body()
    } catch {
      return try ContractViolation.requireEqual(error, expected, line: line)
    }
    throw ContractViolation(description: "no error instead of \(expected) (line \(line) of the contract)")
  }
}
