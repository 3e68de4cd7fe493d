package import BoxEvents
import Synchronization

/// The few threads that all streams' disk work shares.
package final class DiskThreads: Sendable {
  private let threads: [DiskThread]
  private let count = Atomic<Int>(0)

  /// - Parameter count: how many syncs may wait at once.
  package init(count: Int = 4) throws(StoreFailure) {
    var threads: [DiskThread] = []
    for _ in 0..<max(1, count) { threads.append(try DiskThread()) }
    self.threads = threads
  }

  /// The threads in turn.
  package func next() -> DiskThread {
    threads[Int(UInt(bitPattern: count.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(threads.count))]
  }
}
