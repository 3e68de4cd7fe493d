/// Every system call the spool and the state make: the one interface between this module and a disk.
///
/// Synchronous, one method a call, so that a test can put a disk behind it that loses power. Names are relative to an open directory; links are never followed.
/// An implementation reports failures and repeats only an interrupted call; ``StoreFailure/init(_:path:)``
/// decides what a failure means. What every implementation must do is in `Tests/Support/Contracts`.
package protocol Disk: Sendable {
  /// The user that files must belong to: the effective one.
  var userID: UInt32 { get }

  /// Opens a directory by its absolute path. Links in the path are followed: it comes from
  /// the configuration, and systemd makes such links itself for `DynamicUser=`.
  func openRoot(_ path: String) throws(DiskError) -> DiskHandle
  /// The status of what ``openRoot(_:)`` would open now.
  func status(ofRoot path: String) throws(DiskError) -> FileStatus
  /// Lets a handle be open on what another one is open on, in one step for other threads. Both are still to be closed.
  func replace(_ handle: DiskHandle, with other: DiskHandle) throws(DiskError)
  func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle
  func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError)
  /// Opens an existing file. Opening a fifo must not block.
  func openFile(_ name: String, in directory: DiskHandle, writing: Bool) throws(DiskError) -> DiskHandle
  /// Creates a file that must not exist yet, for reading and writing.
  func createFile(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) -> DiskHandle
  /// Never fails and is never repeated: after an error the descriptor is gone all the same.
  func close(_ handle: DiskHandle)

  func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus
  /// The status of what has a name now, without opening it.
  func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus
  func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError)
  /// Reads up to the buffer's size; 0 at the end of the file.
  func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int
  /// Writes some of the bytes and returns how many.
  func write(_ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) -> Int
  func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError)
  /// Makes a file's bytes and its size durable. A failure is final for the file: never repeated.
  func synchronizeData(_ handle: DiskHandle) throws(DiskError)
  /// Makes a directory's entries durable. A failure is final.
  func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError)

  /// The names in a directory, in any order, without `.` and `..`.
  func names(in directory: DiskHandle) throws(DiskError) -> [String]
  func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError)
  func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String
  /// Replaces `new` if it exists, in one step.
  func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError)
  func remove(_ name: String, in directory: DiskHandle) throws(DiskError)

  /// Bytes an ordinary user may still write to the file system that holds `handle`.
  func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64
  /// Takes an exclusive lock until the handle is closed; false if another process has it.
  func lock(_ handle: DiskHandle) throws(DiskError) -> Bool
}

/// Something a ``Disk`` has opened: for the local disk a file descriptor.
package struct DiskHandle: Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }
}

/// The result of `stat`, `fstat` or `fstatat`, as far as the spool uses it.
package struct FileStatus: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case file, directory, other
  }

  /// Which file of which file system it is, whatever it is called: no other one while it is open.
  package struct ID: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }
  }

  package var id: ID
  package var kind: Kind
  package var size: Int
  /// Permission bits, with set-user, set-group and sticky bit: `0o2750`.
  package var mode: UInt32
  package var owner: UInt32
  /// How many names it has.
  package var links: Int
  /// Local seconds since 1970 of the last change of its contents.
  package var modifiedAt: Int64

  package init(
    id: ID, kind: Kind, size: Int, mode: UInt32, owner: UInt32, links: Int = 1, modifiedAt: Int64 = 0
  ) {
    self.id = id
    self.kind = kind
    self.size = size
    self.mode = mode
    self.owner = owner
    self.links = links
    self.modifiedAt = modifiedAt
  }
}
