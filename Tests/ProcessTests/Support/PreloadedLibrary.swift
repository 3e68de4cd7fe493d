import Glibc

/// A small library in C that is loaded before the C library's, to replace some of its functions.
enum PreloadedLibrary {
  /// Whether there is a C compiler.
  static let isAvailable: Bool = {
    let command = ["clang", "--version"]
    guard let child = try? ChildProcess(command, output: "/dev/null", errors: "/dev/null") else {
      print("SKIPPED: replacing functions of the C library needs clang, which comes with Swift, on PATH")
      return false
    }
    while child.isRunning { usleep(1000) }
    return child.exit == .code(0)
  }()

  /// Compiles it in the fixture's directory.
  /// - Returns: its path, for `LD_PRELOAD`.
  static func build(_ text: String, named name: String, _ fixture: TestEnvironment) async throws -> String {
    let (source, library) = ("\(fixture.root)/\(name).c", "\(fixture.root)/\(name).so")
    writeFile(source, Array(text.utf8))
    let log = "\(fixture.root)/clang"
    let clang = try fixture.spawn(
      ["clang", "-shared", "-fPIC", "-o", library, source], output: log, errors: log)
    guard try await clang.ended() == .code(0) else {
      throw TimedOut(description: String(decoding: readFile(log), as: UTF8.self))
    }
    return library
  }
}
