package import Dispatch
package import NIOCore
import NIOPosix
import Synchronization

/// Event loops, each with a thread of its own, which are made when they are first asked for: most daemons call two
/// names, and need two.
package final class GrowingEventLoopGroup: EventLoopGroup {
  private let groups: Mutex<[Int: MultiThreadedEventLoopGroup]>
  /// How many loops there may be.
  package let maximum: Int

  /// The first loop is made at once.
  package init(maximum: Int) {
    self.maximum = max(1, maximum)
    groups = Mutex([0: MultiThreadedEventLoopGroup(numberOfThreads: 1)])
  }

  /// - Parameter index: below ``maximum``.
  func loop(_ index: Int) -> any EventLoop {
    groups.withLock { groups in
      if let group = groups[index] { return group.next() }
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      groups[index] = group
      return group.next()
    }
  }

  package func next() -> any EventLoop { loop(0) }
  package func any() -> any EventLoop { loop(0) }

  package func makeIterator() -> EventLoopIterator {
    EventLoopIterator(groups.withLock { $0.values.map { $0.next() } })
  }

  package func shutdownGracefully(
    queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void
  ) {
    Self.shutDown(groups.withLock { Array($0.values) }, queue, callback)
  }

  /// One after the other.
  private static func shutDown(
    _ groups: [MultiThreadedEventLoopGroup], _ queue: DispatchQueue,
    _ callback: @escaping @Sendable ((any Error)?) -> Void
  ) {
    guard let group = groups.first else { return queue.async { callback(nil) } }
    group.shutdownGracefully(queue: queue) { error in
      guard error == nil else { return callback(error) }
      shutDown(Array(groups.dropFirst()), queue, callback)
    }
  }
}
