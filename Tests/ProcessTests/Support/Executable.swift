import Glibc

/// The programs under test, as the build left them beside this bundle.
enum Executable {
  static let path = "\(folder)/box-eventd"
  /// The same daemon, which ends itself abruptly at a named point.
  static let stopping = "\(folder)/stopping-eventd"
  /// The benchmark, and what it measures the daemon with.
  static let bench = "\(folder)/box-eventd-bench"
  static let floor = "\(folder)/box-eventd-floor"
  static let responder = "\(folder)/box-eventd-responder"

  private static let folder: String = {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        $0.baseAddress.map { readlink("/proc/self/exe", $0, Int(PATH_MAX)) } ?? 0
      }
    }
    let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }()
}
