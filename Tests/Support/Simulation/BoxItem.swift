import TestDisks

/// One entry of Box's log: an event, or an entry that isn't one.
struct BoxItem: Sendable {
  /// Its place in the log: positions are such numbers.
  var key: UInt64
  /// Its line, as the spool must have it.
  var line: [UInt8]
  /// The same event with other bytes, which Box serves now and then.
  var variant: [UInt8]?
  /// The event with a line break between two of its tokens.
  var spread: [UInt8]?
  var isOdd: Bool
  /// Box's time of its birth; Box forgets it when the stream's retention is over.
  var bornAt: Int64
  /// It appeared before a position that was given out: only a lookback can find it.
  var isHidden = false
  /// Box has forgotten it.
  var isForgotten = false

  /// - Parameter number: its place in the order of birth, which makes its id.
  init(number: Int, key: UInt64, bornAt: Int64, _ choices: inout Choices) {
    self.key = key
    self.bornAt = bornAt
    isOdd = number > 0 && choices.chance(6)
    if isOdd {
      let odd = [
        "null", "\(number)", "[\(number)]", "\"odd \(number)\"", "{\"event_id\":\"\(number)\",\"bad\":tru}",
      ]
      // A bare null is the same entry each time it comes.
      line = Array(odd[1 + choices.pick(4)].utf8)
      return
    }
    let filler = String(repeating: "x", count: choices.pick(60))
    let id =
      switch choices.pick(8) {
      case 0: "\(7_000_000 + number)"
      case 1: "\"\\u0065vent-\(number)\""
      default: "\"event-\(number)\""
      }
    let rest = "\"created_at\":\"2027-01-15T08:00:00-08:00\",\"n\":\(number),\"filler\":\"é\(filler)\""
    if choices.pick(10) == 0 {
      // No id: known by its line, so its bytes never differ.
      line = Array("{\"event_id\":null,\(rest)}".utf8)
      return
    }
    line = Array("{\"type\":\"event\",\"event_id\":\(id),\(rest)}".utf8)
    if choices.pick(4) == 0 {
      variant = Array("{\"event_id\":\(id),\"again\":1.2318237429383e+31,\(rest)}".utf8)
    }
    if choices.pick(5) == 0 {
      spread = Array("{\"type\":\"event\",\n  \"event_id\": \(id),\r\n\(rest)\n}".utf8)
    }
  }
}
