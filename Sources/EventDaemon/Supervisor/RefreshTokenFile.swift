import BoxClient
import BoxEvents
import Spool

/// The OAuth 2 refresh token in the state directory, kept like a position: in two blocks, so that the
/// old one stays intact while the new one is written.
actor RefreshTokenFile: RefreshTokenStore {
  static let name = "refresh_token"

  private let state: DiskDirectory

  init(_ state: DiskDirectory) { self.state = state }

  func load() async throws -> Secret<String>? {
    guard let file = try TwoBlockFile(Self.name, in: state) else { return nil }
    defer { file.close() }
    let line = file.content?.split(separator: "\n").first { $0.hasPrefix("refresh_token: ") }
    return line.map { Secret(String($0.dropFirst("refresh_token: ".count))) }
  }

  func proveWritable() async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.proveWritable()
  }

  func save(_ refreshToken: Secret<String>) async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.write("refresh_token: \(refreshToken.reveal())\n")
  }
}
