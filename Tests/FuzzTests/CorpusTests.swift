import FuzzTargets
import Testing

/// The fuzzers' checks over the corpus and its mutations, as far as an ordinary run allows; `packaging/tools/fuzz` goes
/// on from here.
@Suite struct CorpusTests {
  @Test(arguments: FuzzTarget.allCases)
  func everyInput(of target: FuzzTarget) async throws {
    let inputs = try Corpus.inputs(of: target)
    #expect(inputs.count >= 30)
    for input in inputs {
      #expect(await target.violations(input.bytes) == [], "\(target) \(input.name)")
    }
  }

  @Test(arguments: [(FuzzTarget.page, 20_000), (.recovery, 2000), (.answers, 20_000)])
  func mutations(of target: FuzzTarget, count: Int) async throws {
    let corpus = try Corpus.inputs(of: target).map(\.bytes)
    // By the hundred, so that a failure is told by its seed and quickly found again.
    for seed in 0..<UInt64(count / 100) {
      var mutator = Mutator(corpus: corpus, seed: seed)
      for number in 0..<100 {
        let input = mutator.next()
        let violations = await target.violations(input)
        #expect(
          violations == [],
          "\(target) seed \(seed) input \(number): \(String(decoding: input, as: UTF8.self))")
      }
    }
  }
}
