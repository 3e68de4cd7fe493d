#if LIBFUZZER
  import Dispatch
  import FuzzTargets
  import Glibc
  import Synchronization

  // libFuzzer's own entry, which takes the command line and calls back with one input after the other.
  // https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library
  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  ) -> Int32

  /// The entry point under SwiftPM, which names it after the module. `FUZZ_TARGET` names the target.
  @_cdecl("fuzz_main")
  package func fuzzMain(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> Int32 {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments) { bytes, length in
      Trial(Array(UnsafeBufferPointer(start: bytes, count: length))).run()
      return 0
    }
  }

  /// One input under libFuzzer, which keeps it if the process ends.
  private final class Trial: Sendable {
    private static let target =
      getenv("FUZZ_TARGET").flatMap { FuzzTarget(rawValue: String(cString: $0)) } ?? .page

    private let input: [UInt8]
    private let violations = Mutex<[String]>([])
    private let done = DispatchSemaphore(value: 0)

    init(_ input: [UInt8]) {
      self.input = input
    }

    func run() {
      Task.detached {
        let found = await Self.target.violations(self.input)
        self.violations.withLock { $0 = found }
        self.done.signal()
      }
      done.wait()
      let found = violations.withLock { $0 }
      guard !found.isEmpty else { return }
      let words = Array("VIOLATION: \(found.joined(separator: "; "))\n".utf8)
      _ = write(STDERR_FILENO, words, words.count)
      abort()
    }
  }
#endif
