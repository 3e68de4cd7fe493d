import UnixSignals

/// The signals the daemon listens to, trapped from its first moment on, so that none of them ends it the
/// hard way while it is still starting.
struct DaemonSignals: Sendable {
  /// SIGTERM, SIGINT: stop in order.
  let stop: UnixSignalsSequence
  /// SIGHUP: reload.
  let reload: UnixSignalsSequence

  init() async {
    stop = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    reload = await UnixSignalsSequence(trapping: .sighup)
  }
}
