import Synchronization

/// Which event loop calls which server, so that no server's name holds up another's.
///
/// The HTTP library looks names up with `getaddrinfo`, which blocks, and each event loop does one look-up after the
/// other (NIO's `GetaddrinfoResolver`). So each name gets a loop of its own while there is one, and the realtime
/// servers, which Box names, never get one of the API's. Known holes: names beyond that number share a loop, and
/// connections to one name are looked up one after the other.
final class LookupLanes<Loop: Sendable>: Sendable {
  private let api: [Loop]
  private let polls: [Loop]
  /// The lane of each name.
  private let names = Mutex((api: [String: Int](), polls: [String: Int]()))

  /// Names that are remembered of each: Box may name any number of servers.
  static var maximumNames: Int { 1000 }

  /// - Parameter loops: the first quarter is for the API, the rest for realtime servers; a single one for both.
  init(_ loops: [Loop]) {
    let count = max(1, loops.count / 4)
    api = Array(loops.prefix(count))
    polls = loops.count > count ? Array(loops.dropFirst(count)) : api
  }

  /// The API's loop, unless it has several names.
  var first: Loop? { api.first }

  /// The loop for a server: the same for a name as long as it is remembered. Nil if there are no loops at all.
  /// - Parameter name: what is looked up: the server's name, or the proxy's.
  func loop(for name: String, isPoll: Bool) -> Loop? {
    let loops = isPoll ? polls : api
    guard loops.count > 1 else { return loops.first }
    return names.withLock { names in
      isPoll
        ? loops[Self.lane(of: name, in: &names.polls, of: loops.count)]
        : loops[Self.lane(of: name, in: &names.api, of: loops.count)]
    }
  }

  private static func lane(of name: String, in names: inout [String: Int], of count: Int) -> Int {
    if let lane = names[name] { return lane }
    if names.count >= maximumNames { names = [:] }
    let lane = names.count % count
    names[name] = lane
    return lane
  }
}
