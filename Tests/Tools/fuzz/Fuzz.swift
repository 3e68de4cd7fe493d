#if !LIBFUZZER
  import FuzzTargets
  import Glibc

  /// Without libFuzzer: mutations of the corpus, by a seed, for so many seconds.
  ///
  ///     fuzz TARGET SECONDS [SEED]
  @main struct Fuzz {
    static func main() async throws {
      let arguments = CommandLine.arguments
      guard arguments.count >= 3, let target = FuzzTarget(rawValue: arguments[1]),
        let seconds = Int(arguments[2])
      else {
        print("usage: fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) SECONDS [SEED]")
        exit(EX_USAGE)
      }
      var seed = arguments.count > 3 ? UInt64(arguments[3]) ?? 0 : 0
      let corpus = try Corpus.inputs(of: target).map(\.bytes)
      let clock = ContinuousClock()
      let start = clock.now
      var executions = 0
      while clock.now - start < .seconds(seconds) {
        var mutator = Mutator(corpus: corpus, seed: seed)
        for _ in 0..<100 {
          let input = mutator.next()
          let violations = await target.violations(input)
          executions += 1
          guard violations.isEmpty else {
            print("seed \(seed): \(violations)\n\(String(decoding: input, as: UTF8.self))")
            exit(EXIT_FAILURE)
          }
        }
        seed += 1
      }
      print("\(target): \(executions) executions in \(clock.now - start), up to seed \(seed), nothing found")
    }
  }
#endif
