import FoundationEssentials
import Glibc

/// A certificate for 127.0.0.1, made with `openssl`, and its key; removed with this value.
final class Certificate {
  let path: String
  let keyPath: String
  private let root: String

  init(in directory: String) throws {
    root = try BenchEnvironment.temporaryDirectory(in: directory)
    path = "\(root)/certificate.pem"
    keyPath = "\(root)/key.pem"
    let arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyPath, "-out", path,
    ]
    do {
      try Child("/usr/bin/openssl", arguments, log: "\(root)/log").finish()
    } catch {
      throw BenchmarkError("openssl can't make a certificate; --without-tls leaves it out. \(error)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }
}
