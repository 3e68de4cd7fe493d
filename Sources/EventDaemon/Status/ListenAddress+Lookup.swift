import Dispatch
import NIOCore
import ServiceLifecycle

extension ListenAddress {
  /// The address of its host as text; nil if a graceful shutdown or a cancellation came first.
  ///
  /// A look-up blocks, for half a minute where no name server answers, and nothing ends it. So it has a thread of its
  /// own, which a stop leaves behind.
  /// - Throws: ``StatusFailure`` if the name can't be resolved.
  func resolvedHost() async throws(StatusFailure) -> String? {
    let (answers, answer) = AsyncStream.makeStream(of: [String].self)
    DispatchQueue(label: "box-eventd.lookup").async {
      let address = try? SocketAddress.makeAddressResolvingHost(host, port: port)
      answer.yield(address?.ipAddress.map { [$0] } ?? [])
    }
    let hosts = await cancelWhenGracefulShutdown { await answers.first { _ in true } }
    guard let hosts else { return nil }
    if let host = hosts.first { return host }
    throw StatusFailure(
      .notListening, "\(self): the name can't be resolved", hint: StatusServer.hint(ofListening: nil))
  }
}
