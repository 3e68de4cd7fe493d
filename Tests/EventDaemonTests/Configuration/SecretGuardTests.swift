import BoxEvents
import Glibc
import Testing

@testable import EventDaemon

/// Who may read a secret besides the daemon: root's own files may be open to a group, no others.
@Suite struct SecretGuardTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func isAccepted(mode: mode_t, owner: uid_t? = nil, isCredential: Bool = false) throws -> Bool {
    let path = try folder.write("secret", "canary", mode: mode)
    if let owner { try #require(chown(path, owner, gid_t.max) == 0) }
    do {
      return try SecretFile(kind: .clientSecret, path: path, isCredential: isCredential).read()
        == Secret("canary")
    } catch {
      return false
    }
  }

  @Test(
    .enabled(if: geteuid() == 0), arguments: [(0o600, true), (0o640, true), (0o440, true), (0o400, true)])
  func rootsFileMayBeReadByAGroup(mode: mode_t, accepted: Bool) throws {
    #expect(try isAccepted(mode: mode) == accepted)
  }

  @Test(arguments: [0o604, 0o660, 0o620, 0o644, 0o666, 0o602, 0o601] as [mode_t])
  func noFileMayBeOpenToOthersOrWrittenByAGroup(mode: mode_t) throws {
    #expect(try !isAccepted(mode: mode))
  }

  @Test(.enabled(if: geteuid() == 0))
  func somebodyElsesFileIsRefused() throws {
    #expect(try !isAccepted(mode: 0o600, owner: 12_345))
  }

  @Test func aCredentialIsGuardedBySystemd() throws {
    #expect(try isAccepted(mode: 0o444, isCredential: true))
  }

  /// A variable that names no absolute folder is none of systemd's.
  @Test(arguments: ["", "relative", "."])
  func credentialsComeFromAnAbsoluteFolder(folder: String) throws {
    let configuration = try ConfigurationText.read(
      ConfigurationText.minimal("auth", "client_secret_file = \"/from/the/configuration\""))
    let file = try configuration.secretFile(.clientSecret, environment: ["CREDENTIALS_DIRECTORY": folder])
    #expect(file?.path == "/from/the/configuration")
    #expect(file?.isCredential == false)
  }
}
