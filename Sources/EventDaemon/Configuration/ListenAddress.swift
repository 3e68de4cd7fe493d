import BoxEvents

/// A TCP address to listen on: `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// Without brackets.
  package let host: String
  /// 0 lets the kernel choose.
  package let port: Int

  /// Nil unless there are both a host and a port.
  package init?(_ text: some StringProtocol) {
    guard let (host, port) = WebHost.andPort(Substring(text)), let port else { return nil }
    self.host = host
    self.port = port
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
