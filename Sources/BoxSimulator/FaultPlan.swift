/// Which fault the next request of each endpoint meets: first the script, then chance.
struct FaultPlan: Sendable {
  private var scripts: [SimulatedEndpoint: [Fault]] = [:]
  var rates: [SimulatedEndpoint: FaultRates]
  private var random: SplitMix64

  init(rates: [SimulatedEndpoint: FaultRates], seed: UInt64) {
    self.rates = rates
    random = SplitMix64(seed: seed, name: "faults")
  }

  /// Adds faults for the next requests, one each.
  mutating func script(_ endpoint: SimulatedEndpoint, _ faults: [Fault]) {
    scripts[endpoint, default: []] += faults
  }

  /// Forgets what is scripted and not played yet.
  mutating func clear(_ endpoint: SimulatedEndpoint) { scripts[endpoint] = nil }

  func scripted(_ endpoint: SimulatedEndpoint) -> Int { scripts[endpoint]?.count ?? 0 }

  mutating func next(_ endpoint: SimulatedEndpoint) -> Fault {
    if let scripted = scripts[endpoint], !scripted.isEmpty {
      return scripts[endpoint]?.removeFirst() ?? .none
    }
    return rates[endpoint]?.draw(using: &random) ?? .none
  }
}
