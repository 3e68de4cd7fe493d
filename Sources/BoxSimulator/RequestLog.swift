/// The last requests, in a ring of fixed size.
struct RequestLog: Sendable {
  private let capacity: Int
  private var ring: [RequestRecord] = []
  private var oldest = 0

  init(capacity: Int) {
    self.capacity = max(0, capacity)
  }

  mutating func append(_ record: RequestRecord) {
    guard capacity > 0 else { return }
    if ring.count < capacity {
      ring.append(record)
    } else {
      ring[oldest] = record
      oldest = (oldest + 1) % capacity
    }
  }

  /// Oldest first.
  var records: [RequestRecord] { Array(ring[oldest...] + ring[..<oldest]) }
}
