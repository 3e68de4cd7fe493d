import BoxEvents

/// Which fault the next request of each endpoint gets: first the scripted ones, then a random one.
struct FaultPlan: Sendable {
  /// Faults for the next requests, one each.
  var scripts: [SimulatedEndpoint: [Fault]] = [:]
  var rates: [SimulatedEndpoint: FaultRates]
  private var random: SplitMix64

  init(rates: [SimulatedEndpoint: FaultRates], seed: UInt64) {
    self.rates = rates
    random = SplitMix64(seed: seed, name: "faults")
  }

  mutating func next(_ endpoint: SimulatedEndpoint) -> Fault {
    guard scripts[endpoint, default: []].isEmpty else { return scripts[endpoint, default: []].removeFirst() }
    return rates[endpoint]?.draw(using: &random) ?? .none
  }
}

/// Which faults happen at random at an endpoint, and how often, in percent of its requests.
package struct FaultRates: Sendable {
  package struct Rate: Sendable, Hashable {
    var fault: Fault
    var percent: Double

    package init(_ fault: Fault, percent: Double) {
      self.fault = fault
      self.percent = percent
    }
  }

  /// One draw a request decides among them, so their sum is the percentage of requests with a fault.
  package var percents: [Rate]

  package init(_ percents: [Rate] = []) { self.percents = percents }

  /// Reads `429:1=2,503=2,reset=1,truncate=1,stall=0.1`.
  package init(_ text: String) throws(SimulatorError) {
    percents = []
    for item in text.split(separator: ",") {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let percent = Double(parts[1]), (0...100).contains(percent) else {
        throw SimulatorError(
          message: "“\(item)” is not a fault with a percentage from 0 to 100", hint: Self.hint)
      }
      do throws(SimulatorError) {
        percents.append(Rate(try Fault(parts[0]), percent: percent))
      } catch {
        throw SimulatorError(message: error.message, hint: Self.hint)
      }
    }
  }

  private static let hint =
    "Write the fault, an equals sign and a percentage, such as 503=2, 429:1=2 or reset=1. "
    + "The faults are in: man box-eventd-simulate."

  /// A bad day: faults in several percent of all requests.
  package static let stormy = FaultRates([
    Rate(.status(429, headers: ["Retry-After": "1"]), percent: 2), Rate(.status(503), percent: 2),
    Rate(.reset, percent: 1), Rate(.truncate, percent: 1), Rate(.stallInBody, percent: 0.1),
    Rate(.expireToken, percent: 0.5),
  ])

  fileprivate func draw(using random: inout SplitMix64) -> Fault? {
    guard !percents.isEmpty else { return nil }
    var draw = Double.random(in: 0..<100, using: &random)
    for rate in percents {
      if draw < rate.percent { return rate.fault }
      draw -= rate.percent
    }
    return nil
  }
}
