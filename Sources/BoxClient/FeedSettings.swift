package import BoxEvents

/// What one stream asks Box for.
package struct FeedSettings: Hashable, Sendable {
  /// `https://api.box.com/2.0`; plain http only on loopback.
  package var apiURL: WebURL
  package var type: StreamType
  /// The user id for the header `As-User`; empty for none.
  package var asUser: String
  /// Patterns of hosts that may serve long polls, any port; see ``RealtimeURL``.
  package var realtimeHosts: [String]
  /// Ask for compressed pages: they shrink about tenfold, at 2–3 µs of CPU an event.
  package var gzip: Bool

  package static let defaultRealtimeHosts = ["*.services.box.net", "*.box.com"]

  package init(
    apiURL: WebURL, type: StreamType = .all, asUser: String = "",
    realtimeHosts: [String] = Self.defaultRealtimeHosts, gzip: Bool = true
  ) {
    self.apiURL = apiURL
    self.type = type
    self.asUser = asUser
    self.realtimeHosts = realtimeHosts
    self.gzip = gzip
  }
}

extension WebURL {
  /// - Throws: where the URL may not be sent secrets.
  func requireConfidential(key: String) throws(ClientSettingsError) {
    guard isConfidential else {
      throw ClientSettingsError(key, "\(origin) is not encrypted", hint: "Use https.")
    }
  }
}
