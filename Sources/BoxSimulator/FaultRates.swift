/// How often which faults happen by chance at an endpoint, in percent of its requests.
package struct FaultRates: Sendable, Hashable {
  /// Tried in order with one draw a request, so their sum is the share of faulty requests.
  package var percents: [Rate]

  package struct Rate: Sendable, Hashable {
    package var fault: Fault
    package var percent: Double

    package init(_ fault: Fault, percent: Double) {
      self.fault = fault
      self.percent = percent
    }
  }

  package init(_ percents: [Rate] = []) {
    self.percents = percents
  }

  /// Reads `429:1=2,503=2,reset=1,truncate=1,stall=0.1`.
  package init(_ text: String) throws(SimulatorError) {
    percents = []
    for item in text.split(separator: ",") {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let percent = Double(parts[1]), (0...100).contains(percent) else {
        throw SimulatorError(
          .badText, "“\(item)” is no rate of a fault",
          hint: "Write the fault, an equals sign and a percentage: 503=2.")
      }
      percents.append(Rate(try Fault(parts[0]), percent: percent))
    }
  }

  /// The usual weather of a bad day, several per cent of all requests.
  package static let stormy = FaultRates([
    Rate(.status(429, headers: ["Retry-After": "1"]), percent: 2), Rate(.status(503), percent: 2),
    Rate(.reset, percent: 1), Rate(.truncate, percent: 1), Rate(.stallInBody, percent: 0.1),
    Rate(.expireToken, percent: 0.5),
  ])

  func draw(using random: inout SplitMix64) -> Fault? {
    guard !percents.isEmpty else { return nil }
    var draw = Double.random(in: 0..<100, using: &random)
    for rate in percents {
      if draw < rate.percent { return rate.fault }
      draw -= rate.percent
    }
    return nil
  }
}
