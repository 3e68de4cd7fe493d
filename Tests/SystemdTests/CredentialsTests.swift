import Glibc
import Testing

@testable import Systemd

struct CredentialsTests {
  @Test func aCredentialIsAFileInTheDirectory() throws {
    var template = Array("/tmp/box-eventd-credentials.XXXXXX".utf8CString)
    let pointer = try #require(mkdtemp(&template))
    let directory = String(cString: pointer)
    let path = directory + "/client-secret"
    defer {
      unlink(path)
      rmdir(directory)
    }
    close(creat(path, 0o600))

    let credentials = Credentials(directory: directory)
    #expect(credentials.path(of: "client-secret") == path)
    #expect(credentials.path(of: "jwt-settings") == nil)
    #expect(credentials.path(of: "") == nil)
    #expect(credentials.path(of: ".") == nil)
    #expect(credentials.path(of: "..") == nil)
    #expect(credentials.path(of: "./client-secret") == nil)
    #expect(credentials.path(of: "client-secret\0") == nil)
  }

  @Test func withoutADirectoryThereIsNone() {
    #expect(Credentials(directory: nil).path(of: "client-secret") == nil)
  }
}
