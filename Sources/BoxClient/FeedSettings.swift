public import BoxEvents

/// What one stream asks Box for.
public struct FeedSettings: Hashable, Sendable {
  /// `https://api.box.com/2.0`; plain http only on loopback.
  public var apiURL: String
  public var type: StreamType
  /// The user id for the header `As-User`; empty for none.
  public var asUser: String
  /// Patterns of hosts that may serve long polls, any port; see ``RealtimeURL``.
  public var realtimeHosts: [String]
  /// Ask for compressed pages: they shrink about tenfold, at 2–3 µs of CPU an event.
  public var gzip: Bool

  public static let defaultAPIURL = "https://api.box.com/2.0"
  public static let defaultRealtimeHosts = ["*.services.box.net", "*.box.com"]

  public init(
    apiURL: String = Self.defaultAPIURL, type: StreamType = .all, asUser: String = "",
    realtimeHosts: [String] = Self.defaultRealtimeHosts, gzip: Bool = true
  ) {
    self.apiURL = apiURL
    self.type = type
    self.asUser = asUser
    self.realtimeHosts = realtimeHosts
    self.gzip = gzip
  }

  /// Scheme, host and port of the API, for ``BoxEvents/FeedIdentity``.
  public var apiOrigin: String {
    get throws(ClientSettingsError) { try checkedAPI().origin }
  }

  /// The API's address, without a slash at its end.
  func checkedAPI() throws(ClientSettingsError) -> WebAddress {
    var address = try WebAddress.checked(apiURL, key: "api_url")
    while address.target.hasSuffix("/") { address.target.removeLast() }
    return address
  }
}

extension WebAddress {
  /// An address that may be sent secrets: https, or loopback.
  static func checked(_ text: String, key: String) throws(ClientSettingsError) -> WebAddress {
    guard let address = WebAddress(text) else {
      throw ClientSettingsError(
        key, "\(PlainText.excerpt(text)) is no URL", hint: "write it as https://host/path")
    }
    guard address.isSecure || address.isLoopback else {
      throw ClientSettingsError(key, "\(PlainText.excerpt(text)) is not encrypted", hint: "use https")
    }
    return address
  }
}
