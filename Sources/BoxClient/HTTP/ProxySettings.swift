package import BoxEvents

/// Which proxy takes the traffic, and for which hosts: the `proxy` setting, or the environment.
package struct ProxySettings: Equatable, Sendable {
  /// Without IPv6 brackets.
  package let host: String
  package let port: Int
  /// `user:password`.
  package let credentials: Secret<String>?
  /// What names the proxy: the setting `proxy`, or the variable `HTTPS_PROXY`.
  package let key: String
  /// Hosts that are reached directly: `example.com` includes its subdomains, `*` is all hosts.
  package let exceptions: [String]

  /// Where the URL names none, as with the proxy Squid. It isn't 80, the scheme's, or 1080, which curl takes.
  static let defaultPort = 3128

  /// For messages: `proxy.example:3128`.
  var address: String { PlainText.escaped("\(host):\(port)") }

  /// The `proxy` setting.
  /// - Parameter credentials: `user:password`, the contents of `proxy_auth_file`.
  package init(setting: WebURL, credentials: Secret<String>? = nil) throws(ClientSettingsError) {
    try Self.check(setting, key: "proxy")
    self.init(setting, key: "proxy", credentials: credentials.flatMap(Self.credentials), exceptions: [])
    if credentials != nil, self.credentials == nil {
      throw ClientSettingsError(
        "proxy_auth_file", "the contents of proxy_auth_file are not user:password",
        hint: "Write user:password on one line.")
    }
  }

  /// The `user:password` that a file holds; nil for anything else.
  package static func credentials(from contents: Secret<String>) -> Secret<String>? {
    let text = contents.reveal().trimmed
    return text.contains(":") ? Secret(text) : nil
  }

  /// `https_proxy` and `no_proxy`, in lower or upper case as with curl; nil if `https_proxy` is not set.
  package init?(environment: [String: String]) throws(ClientSettingsError) {
    func value(_ name: String) -> String? {
      [environment[name], environment[name.uppercased()]].compactMap { $0?.trimmed }.first { !$0.isEmpty }
    }
    guard let text = value("https_proxy") else { return nil }
    let withScheme = text.contains("://") ? text : "http://" + text
    let (url, credentials) = try Self.parse(withScheme)
    // Commas and blanks both separate, as with curl.
    let exceptions = (value("no_proxy") ?? "").split { $0 == "," || $0.isWhitespace }.map { $0.lowercased() }
    self.init(url, key: Self.variable, credentials: credentials, exceptions: exceptions)
  }

  /// Whether requests to this URL go through the proxy. Those to loopback never do.
  package func applies(to url: WebURL) -> Bool {
    guard !url.isLoopback else { return false }
    return !exceptions.contains { Self.covers($0, url.host, url.port) }
  }

  /// What to do about a proxy that asks for a user and password.
  package static func authenticationHint(_ proxy: ProxySettings?) -> String {
    let remedy =
      switch (proxy?.key == variable, proxy?.credentials == nil) {
      case (false, true): "Set proxy_auth_file in [box]."
      case (false, false):
        "Check the user and password in proxy_auth_file in [box], or in the credential proxy-auth."
      case (true, true): "Write \(variable) as http://user:password@host:port."
      case (true, false): "Check the user and password in \(variable)."
      }
    return "\(remedy) The proxy must accept Basic; Digest, NTLM and Negotiate are not supported."
  }

  private static let variable = "HTTPS_PROXY"

  private init(_ url: WebURL, key: String, credentials: Secret<String>?, exceptions: [String]) {
    self.key = key
    self.host = url.host
    self.port = url.hasPort ? url.port : Self.defaultPort
    self.credentials = credentials
    self.exceptions = exceptions
  }

  private static func covers(_ exception: String, _ host: String, _ port: Int) -> Bool {
    if exception == "*" { return true }
    var name = exception[...]
    if let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon {
      guard Int(name[name.index(after: colon)...]) == port else { return false }
      name = name[..<colon]
    }
    if name.hasPrefix("*.") { name.removeFirst() }
    if name.hasPrefix(".") { name.removeFirst() }
    return !name.isEmpty && (host == name || host.hasSuffix("." + name))
  }

  /// The URL in `HTTPS_PROXY`, and the credentials written into it.
  private static func parse(_ text: String) throws(ClientSettingsError) -> (WebURL, Secret<String>?) {
    var text = text
    var credentials: Secret<String>?
    if let scheme = text.firstRange(of: "://") {
      guard ["http", "https"].contains(text[..<scheme.lowerBound].lowercased()) else {
        throw ClientSettingsError(
          variable, "\(variable) is not the URL of an http:// proxy",
          hint: "Only http:// proxies are supported. \(hint)")
      }
      if let at = text[scheme.upperBound...].prefix(while: { $0 != "/" }).lastIndex(of: "@") {
        guard let decoded = FormEncoding.unescaped(text[scheme.upperBound..<at]) else {
          throw ClientSettingsError(
            variable, "the user and password in \(variable) can't be decoded",
            hint: "Percent-encode their special characters: write a % as %25.")
        }
        credentials = Secret(decoded)
        text.removeSubrange(scheme.upperBound...at)
      }
    }
    guard let url = WebURL(text) else {
      throw ClientSettingsError(variable, "\(variable) is not a URL", hint: hint)
    }
    try check(url, key: variable)
    return (url, credentials)
  }

  private static func check(_ url: WebURL, key: String) throws(ClientSettingsError) {
    guard url.target == "/" else {
      throw ClientSettingsError(key, "\(key) \(url.origin) has a path", hint: hint)
    }
    guard url.scheme == .http else {
      throw ClientSettingsError(key, "\(key) \(url.origin) uses TLS, which is not supported", hint: hint)
    }
  }

  private static let hint = "Write it as http://host:port."
}
