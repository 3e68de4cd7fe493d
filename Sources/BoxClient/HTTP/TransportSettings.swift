import BoxEvents
import NIOSSL

/// The limits of the traffic with Box, and the way it takes.
///
/// The defaults are the daemon's; tests shorten them.
package struct TransportSettings: Sendable {
  /// Bytes of one page of events, decompressed; `max_page`.
  package var maximumPageBytes = 64 << 20
  /// Bytes of any other answer: a token, OPTIONS, an error, a poll's reply.
  package var maximumSmallBodyBytes = 64 << 10
  /// How long an API answer may bring no byte, its head included.
  package var readTimeout = Duration.seconds(60)
  /// How long one API request may take in all, however steadily its answer drips.
  package var requestTimeout = Duration.seconds(5 * 60)
  /// How long connecting may take, TLS included.
  package var connectTimeout = Duration.seconds(30)
  /// How long an unused connection is kept. Shorter than a long poll, so that none is used that a
  /// firewall has forgotten in the meantime.
  package var idleTimeout = Duration.seconds(60)
  /// What a poll gets beyond the server's own `retry_timeout`.
  package var pollGrace = Duration.seconds(10)
  /// How long a poll's body may take after its head.
  package var pollBodyTimeout = Duration.seconds(60)
  /// Calls at once, other than polls: so many to the API, and so many to sign in. The others wait for their turn, so
  /// that a thousand streams that wake up together hold this many pages in memory and not a thousand.
  package var callsAtOnce = 16
  /// Calls a minute, other than polls, those to sign in included; nil for as many as there are.
  package var callsPerMinute: Int?
  /// Connections to realtime servers at once: more than there are streams.
  package var pollConnections = 1 << 16
  /// Bytes read from an API connection at once. A page is about 0.8 MB.
  package var receiveBufferBytes = 256 << 10
  package var proxy: ProxySettings?
  /// The certificates to trust instead of the system's.
  package var trustRoots: TrustRoots?
  /// The daemon's version, for `User-Agent`.
  package var version: String

  package init(version: String = "0") { self.version = version }
}

/// The certificates of `ca_file`, trusted instead of the system's.
package struct TrustRoots: Sendable {
  let certificates: [NIOSSLCertificate]

  /// - Parameter pem: the file's contents; text between the certificates is ignored.
  /// - Throws: if a certificate is damaged, or the file contains none.
  package init(pem: [UInt8], path: String) throws(ClientSettingsError) {
    let found = (try? NIOSSLCertificate.fromPEMBytes(pem)) ?? []
    guard !found.isEmpty else {
      // The library skips lines that don't begin with dashes: also a first line with a mark before them.
      let hasMark = pem.starts(with: [0xEF, 0xBB, 0xBF])
      throw ClientSettingsError(
        "ca_file", "ca_file \(path) contains no intact certificate",
        hint: hasMark
          ? "Save the file without a byte order mark." : "Name a file of certificates in PEM form.")
    }
    certificates = found
  }
}

/// A setting that the network edge can't work with: found at the start, never later.
package struct ClientSettingsError: ExplainedError, Hashable, Sendable {
  /// The configuration's key, or the environment's variable: `ca_file`, `HTTPS_PROXY`.
  package var key: String
  /// What is wrong, without the value where that may be secret.
  package var message: String
  package var hint: String?

  package init(_ key: String, _ message: String, hint: String) {
    self.key = key
    self.message = message
    self.hint = hint
  }
}

extension WebURL {
  /// - Parameter key: the configuration's key for this URL.
  /// - Throws: if secrets may not be sent there.
  func requireConfidential(key: String) throws(ClientSettingsError) {
    guard isConfidential else {
      throw ClientSettingsError(key, "\(key) \(origin) is not encrypted", hint: "Use https.")
    }
  }
}
