import BoxEvents
import Glibc
import Testing

@testable import EventDaemon

@Suite struct SecretFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(
    _ bytes: [UInt8], _ kind: SecretFile.Kind = .clientSecret, mode: mode_t = 0o600,
    isCredential: Bool = false
  ) throws -> String {
    refusal(try folder.write("secret", bytes, mode: mode), kind, isCredential: isCredential)
  }

  private func refusal(
    _ path: String, _ kind: SecretFile.Kind = .clientSecret, isCredential: Bool = false
  ) -> String {
    do {
      _ = try SecretFile(kind: kind, path: path, isCredential: isCredential).read()
      return ""
    } catch {
      #expect(!error.description.contains("canary"))
      return error.description.replacing(folder.path, with: "")
    }
  }

  @Test(arguments: ["canary", "canary\n", "canary\r\n"])
  func theNewlineAtTheEndIsNoPartOfIt(text: String) throws {
    let path = try folder.write("secret", text)
    let secret = try SecretFile(kind: .clientSecret, path: path, isCredential: false).read()
    #expect(secret.reveal() == "canary")
    #expect("\(secret)" == "<redacted>")
  }

  @Test func whatIsNoSecretIsRefused() throws {
    #expect(try refusal([]) == "client-secret, /secret: empty\n  write the secret into it")
    #expect(try refusal(Array("\n".utf8)).contains(": empty\n"))
    #expect(try refusal(Array("  \n\n".utf8)).contains(": empty\n"))
    #expect(try refusal(Array("canary\ncanary".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\n\n".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\r\ncanary".utf8)).contains(": more than one line\n"))
    #expect(try refusal(Array("canary\0".utf8)).contains(": not text\n"))
    #expect(try refusal([0xff, 0xfe]).contains(": not text\n"))
    #expect(try refusal([UInt8](repeating: 0x61, count: 65_537)).contains(": larger than 64 KiB\n"))
    #expect(try refusal(Array("{\n}\n".utf8), .jwtSettings) == "")
  }

  @Test(arguments: [0o604, 0o602, 0o601, 0o666, 0o777, 0o660, 0o620] as [mode_t])
  func filesOpenToOthersAreRefused(mode: mode_t) throws {
    let message = try refusal(Array("canary".utf8), mode: mode)
    #expect(
      message.hasPrefix("client-secret, /secret: open to others (mode 0\(String(mode, radix: 8)))\n  chmod 6")
    )
    #expect(try refusal(Array("canary".utf8), mode: mode, isCredential: true) == "")
  }

  @Test func theGroupMayReadOnlyRootsFile() throws {
    let message = try refusal(Array("canary".utf8), mode: 0o640)
    #expect(message.isEmpty == (geteuid() == 0))
    #expect(try refusal(Array("canary".utf8), mode: 0o400) == "")
  }

  @Test(.enabled(if: geteuid() == 0)) func anotherUsersFileIsRefused() throws {
    let path = try folder.write("secret", "canary")
    #expect(chown(path, 12_345, 0) == 0)
    #expect(refusal(path).hasPrefix("client-secret, /secret: belongs to another user (12345)\n  chown "))
  }

  @Test func whatIsNoFileIsRefused() throws {
    #expect(refusal(folder.path + "/none").hasPrefix("client-secret, /none: no such file\n"))
    #expect(refusal(try folder.folder("dir")).hasPrefix("client-secret, /dir: not a regular file\n"))
    let fifo = folder.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(refusal(fifo).hasPrefix("client-secret, /fifo: not a regular file\n"))
    let link = folder.path + "/link"
    #expect(symlink("/nowhere/at/all", link) == 0)
    #expect(refusal(link).hasPrefix("client-secret, /link: no such file\n"))
  }

  @Test func theErrorOfTheSystemIsPutIntoWords() {
    let denied = FileContents.Refusal.failed(EACCES, "/x")
    #expect(denied.message == "permission denied")
    #expect(denied.hint.contains("/x"))
    #expect(FileContents.Refusal.failed(EIO, "/x").message == "Input/output error")
  }
}
