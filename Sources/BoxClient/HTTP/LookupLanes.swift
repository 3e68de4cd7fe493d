import BoxEvents
import Synchronization

/// Which event loop calls which server, so that no server's name holds up another's.
///
/// The HTTP library looks names up with `getaddrinfo`, which blocks, and each event loop does one look-up after the
/// other (NIO's `GetaddrinfoResolver`). So each name gets a loop of its own while there is one, and the realtime
/// servers, which Box names, never get one of the API's. Known holes: names beyond that number share a loop, and
/// connections to one name are looked up one after the other.
final class LookupLanes<Loop: Sendable>: Sendable {
  /// The loops by number: the first quarter is for the API, the rest for realtime servers; a single one for both.
  private let api: Range<Int>
  private let polls: Range<Int>
  private let loop: @Sendable (Int) -> Loop
  /// The lane of each name.
  private let names = Mutex((api: [String: Int](), polls: [String: Int]()))

  /// Names that are remembered of each: Box may name any number of servers.
  static var maximumNames: Int { 1000 }

  /// - Parameter loop: called for a number when it is first needed, and each time after.
  init(count: Int, loop: @escaping @Sendable (Int) -> Loop) {
    let ofAPI = max(1, count / 4)
    api = 0..<min(ofAPI, count)
    polls = count > ofAPI ? ofAPI..<count : api
    self.loop = loop
  }

  convenience init(_ loops: [Loop]) { self.init(count: loops.count) { loops[$0] } }

  /// The API's loop, unless it has several names.
  var first: Loop? { api.first.map(loop) }

  /// The loop for a server: the same for a name as long as it is remembered. Nil if there are no loops at all.
  /// - Parameter name: what is looked up: the server's name, or the proxy's.
  func loop(for name: String, isPoll: Bool) -> Loop? {
    // An address needs no look-up.
    if WebHost.isIPv4(name) || WebHost.isIPv6(name) { return first }
    let lanes = isPoll ? polls : api
    guard lanes.count > 1 else { return lanes.first.map(loop) }
    let lane = names.withLock { names in
      isPoll
        ? Self.lane(of: name, in: &names.polls, of: lanes.count)
        : Self.lane(of: name, in: &names.api, of: lanes.count)
    }
    return loop(lanes.lowerBound + lane)
  }

  private static func lane(of name: String, in names: inout [String: Int], of count: Int) -> Int {
    if let lane = names[name] { return lane }
    if names.count >= maximumNames { names = [:] }
    let lane = names.count % count
    names[name] = lane
    return lane
  }
}
