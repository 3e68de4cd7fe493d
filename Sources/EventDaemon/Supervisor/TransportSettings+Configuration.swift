import BoxClient
import BoxEvents

extension TransportSettings {
  /// The client's settings as the configuration and the environment give them.
  init(_ configuration: Configuration, environment: [String: String]) throws(ClientSettingsError) {
    self.init(version: Version.current)
    maximumPageBytes = Int(configuration.box.maxPage.bytes)
    trustRoots = try configuration.box.trustRoots()
    proxy =
      if let proxy = configuration.box.proxy {
        // That the secret can be read has been checked with the others.
        try ProxySettings(
          setting: proxy.description,
          credentials: try? configuration.secret(.proxyAuth, environment: environment))
      } else {
        try ProxySettings(environment: environment)
      }
  }
}

extension Configuration.Box {
  /// The certificates of `ca_file`; nil where it isn't set.
  /// - Throws: a problem that names the file.
  func trustRoots() throws(ClientSettingsError) -> TrustRoots? {
    guard let caFile else { return nil }
    let contents: FileContents
    do throws(FileContents.Refusal) {
      contents = try FileContents(caFile, maximumSize: 16 << 20)
    } catch {
      throw ClientSettingsError("ca_file", "\(caFile): \(error.message)", hint: error.hint)
    }
    return try TrustRoots(pem: contents.bytes, path: caFile)
  }
}
