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
        try ProxySettings(
          setting: proxy.description, credentials: Self.proxyAuth(configuration, environment))
      } else {
        try ProxySettings(environment: environment)
      }
  }

  private static func proxyAuth(
    _ configuration: Configuration, _ environment: [String: String]
  ) -> Secret<String>? {
    // That it can be read has been checked with the other secrets.
    let file = try? configuration.secretFile(.proxyAuth, environment: environment)
    return file.flatMap { try? $0.read() }
  }
}
