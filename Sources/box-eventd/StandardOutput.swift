import BoxEvents
import Glibc

/// Text to stdout and stderr, without a buffer.
enum StandardOutput {
  /// Keeps other files from becoming stdin, stdout or stderr: where one of the three was closed at the start, the next
  /// file that is opened would take its number, and receive what is written to it.
  static func reserveDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number, which is this one.
      _ = open("/dev/null", O_RDWR)
    }
  }

  static func print(_ text: String) { write(text + "\n") }

  static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// An error in two lines on stderr: what happened, and what to do.
  static func report(_ error: some ExplainedError) {
    write("box-eventd: \(error.message)\n" + (error.hint.map { "  \($0)\n" } ?? ""), to: STDERR_FILENO)
  }

  /// A finding in one or two lines on stdout.
  static func print(finding label: String, _ message: String, hint: String?) {
    print(label + message)
    if let hint { print("          " + hint) }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, written))
    }
  }
}
