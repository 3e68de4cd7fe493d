import BoxEvents
import Glibc
import Testing

@testable import Spool

/// What the system's errors mean: wait, fail, or refuse.
struct StoreFailureTests {
  private func code(_ operation: DiskError.Operation, _ errno: Int32) -> StoreFailure.Code {
    StoreFailure(DiskError(operation, errno: errno), path: "/x").code
  }

  @Test(arguments: [ENOSPC, EDQUOT])
  func fullDisksAreNoSpace(errno: Int32) {
    for operation in DiskError.Operation.allCases where operation != .synchronize {
      #expect(code(operation, errno) == .noSpace)
    }
  }

  @Test(arguments: [EIO, EINTR, EPERM])
  func failedSyncsAreIO(errno: Int32) {
    #expect(code(.synchronize, errno) == .io)
  }

  /// To be waited for, and what was written to be proven.
  @Test(arguments: [ENOSPC, EDQUOT, EFBIG])
  func fullDisksFoundBySyncs(errno: Int32) {
    let failure = StoreFailure(DiskError(.synchronize, errno: errno), path: "/x")
    #expect(failure.code == .noSpace && failure.isUnproven)
    #expect(!StoreFailure(DiskError(.write, errno: errno), path: "/x").isUnproven)
  }

  @Test(arguments: [ELOOP, ENXIO, ENOTDIR, EISDIR, EACCES, EPERM])
  func foreignFilesAreRefused(errno: Int32) {
    #expect(code(.open, errno) == .refused)
  }

  @Test func existingFilesAreRefused() {
    #expect(code(.create, EEXIST) == .refused)
    #expect(code(.link, EEXIST) == .io)
  }

  @Test(arguments: [EIO, EROFS, EMFILE, ENFILE, ENOMEM, EBADF, ENOENT])
  func otherErrorsAreIO(errno: Int32) {
    #expect(code(.open, errno) == .io)
    #expect(code(.write, errno) == .io)
  }

  @Test func messageNamesCallPathAndReason() {
    let failure = StoreFailure(DiskError(.makeDirectory, errno: EROFS), path: "/var/spool/x")
    #expect(failure.message == "cannot make the directory /var/spool/x: \(String(cString: strerror(EROFS)))")
    #expect(failure.errno == EROFS)
  }

  /// The system would say "No such device or address".
  @Test(arguments: [
    (EISDIR, "it is a directory"), (ENXIO, "it is not a plain file"),
    (ELOOP, "it is a symbolic link, or a loop of them"),
  ])
  func messageNamesWhatIsInThePlaceOfAFile(errno: Int32, reason: String) {
    #expect(StoreFailure(DiskError(.open, errno: errno), path: "/x").message == "cannot open /x: \(reason)")
    let other = StoreFailure(DiskError(.read, errno: errno), path: "/x").message
    #expect(other == "cannot read /x: \(String(cString: strerror(errno)))")
  }

  @Test func everyHintIsASentence() {
    func hint(_ operation: DiskError.Operation, _ errno: Int32) -> String {
      StoreFailure(DiskError(operation, errno: errno), path: "/x").hint ?? ""
    }
    #expect(hint(.write, ENOSPC).contains("Free some space"))
    #expect(hint(.write, EDQUOT).contains("in the quota"))
    #expect(hint(.open, EACCES).contains("namei -l"))
    #expect(hint(.open, EPERM).contains("belongs to the daemon's user"))
    #expect(hint(.open, EPERM).contains("lsattr"))
    #expect(hint(.setMode, EPERM).contains("fmask=0137"))
    for errno in [ENOLCK, EOPNOTSUPP, ENOSYS] { #expect(hint(.lock, errno).contains("lock service")) }
    #expect(hint(.read, EIO).contains("kernel's log"))
    for errno in [EMFILE, ENFILE] { #expect(hint(.open, errno).contains("LimitNOFILE=")) }
  }
}
