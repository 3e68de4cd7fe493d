import Glibc
import Testing

@testable import EventDaemon

@Suite struct UnitCredentialsTests {
  private let root: TemporaryFolder

  init() throws { root = try TemporaryFolder() }

  /// Writes a file and the folders above it.
  private func write(_ path: String, _ text: String = "new") throws {
    var folder = root.path
    for name in path.split(separator: "/").dropLast() {
      folder += "/\(name)"
      #expect(mkdir(folder, 0o700) == 0 || errno == EEXIST)
    }
    try root.write(path, text)
  }

  private func sources(_ unit: String = "box-eventd") -> CredentialSources {
    CredentialSources(unit: unit, root: root.path)
  }

  private func origin(_ unit: String = "box-eventd", hasFileKey: Bool = false) -> CredentialOrigin? {
    sources(unit).credential(.clientSecret, needsCredential: !hasFileKey)?.origin
  }

  private func file(_ path: String, isNew: Bool = false) -> CredentialOrigin {
    .file("\(root.path)/\(path)", isNew: isNew)
  }

  private static let running = "run/credentials/box-eventd.service/client-secret"

  @Test func theStoreComesBeforeTheRunningServicesCopy() throws {
    #expect(origin() == nil)
    try write("run/credstore/box-eventd.client-secret")
    #expect(origin() == file("run/credstore/box-eventd.client-secret"))
    try write("etc/credstore/box-eventd.client-secret")
    #expect(origin() == file("etc/credstore/box-eventd.client-secret"))
    try write(Self.running, "new")
    #expect(origin() == file("etc/credstore/box-eventd.client-secret"))
    try write(Self.running, "old")
    #expect(origin() == file("etc/credstore/box-eventd.client-secret", isNew: true))
    let bytes = sources().credential(.clientSecret, needsCredential: true)?.bytes
    #expect(bytes == Array("new".utf8))
    #expect(sources().credential(.accessToken, needsCredential: true)?.origin == nil)
  }

  @Test(arguments: ["box-eventd.client-secret", "client-secret"])
  func anEncryptedOneIsOnlyTheServices(name: String) throws {
    try write("etc/credstore.encrypted/\(name)")
    #expect(origin() == .unseen)
    #expect(origin(hasFileKey: true) == nil)
    try write(Self.running)
    #expect(origin() == .service(hasSource: true))
  }

  /// The next start goes without, or uses the file that a key names.
  @Test func aSecretThatWasTakenAwayIsNotedAndAKeysFileComesFirst() throws {
    try write(Self.running)
    #expect(origin() == .service(hasSource: false))
    #expect(origin(hasFileKey: true) == nil)
  }

  @Test(arguments: [
    ("LoadCredentialEncrypted=client-secret:/etc/box-eventd/client-secret.cred", true),
    ("SetCredential = client-secret:text", true),
    ("LoadCredentialEncrypted=client-secret", true),
    ("#LoadCredentialEncrypted=client-secret:/x", false),
    ("LoadCredentialEncrypted=access-token:/x", false), ("[Service]", false),
  ])
  func aDropInReplacesTheStore(line: String, isReplaced: Bool) throws {
    try write("etc/credstore/box-eventd.client-secret")
    try write("etc/systemd/system/box-eventd.service.d/override.conf", "[Service]\n\(line)\n")
    #expect(origin() == (isReplaced ? .unseen : file("etc/credstore/box-eventd.client-secret")))
  }

  @Test func aDropInNamesAnotherFile() throws {
    try write("etc/credstore/box-eventd.client-secret")
    try write("srv/secret")
    let folder = "etc/systemd/system/box-eventd.service.d"
    try write("\(folder)/1.conf", "LoadCredentialEncrypted=client-secret:/x\n")
    try write("\(folder)/2.conf", "LoadCredential=client-secret:/srv/secret\n")
    #expect(origin() == file("srv/secret"))
    try write("\(folder)/2.conf.bak", "")
    try write("\(folder)/3.conf", "LoadCredential=client-secret:box-eventd.client-secret\n")
    #expect(origin() == file("etc/credstore/box-eventd.client-secret"))
  }

  @Test func anInstanceHasItsOwnAndItsTemplates() throws {
    try write("etc/credstore/box-eventd.client-secret")
    #expect(origin("box-eventd@a") == nil)
    try write("srv/a")
    try write("etc/systemd/system/box-eventd@.service.d/o.conf", "LoadCredential=client-secret:/srv/%i\n")
    #expect(origin("box-eventd@a") == file("srv/a"))
    #expect(origin("box-eventd@b") == nil)
  }
}
