import EventDaemon
import Glibc

/// The secrets the unit of a configuration gets as credentials, for commands in a shell.
///
/// systemd hands credentials to the service alone. Root can read what they are made of: the running
/// unit's own, or plain ones in the credential stores. A command that then becomes the service's user
/// needs copies: they lie in memory, open to that user alone, until the command ends.
///
/// Source: systemd.exec(5), "LoadCredential=".
struct UnitCredentials {
  /// A folder like the service's `$CREDENTIALS_DIRECTORY`.
  let folder: String
  private var files: [String] = []

  /// Nil unless started as root, outside of the service, with a credential to be seen.
  init?(of configurationPath: String, environment: [String: String], for user: uid_t) {
    guard geteuid() == 0, environment["CREDENTIALS_DIRECTORY"] == nil else { return nil }
    let unit = Configuration.unit(of: configurationPath)
    let found = SecretFile.Kind.allCases.compactMap { kind in
      Self.bytes(of: kind, unit).map { (kind.rawValue, $0) }
    }
    guard !found.isEmpty, let folder = Self.madeFolder() else { return nil }
    self.folder = folder
    for (name, bytes) in found {
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
      guard descriptor >= 0 else { continue }
      _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      fchown(descriptor, user, gid_t.max)
      close(descriptor)
      files.append(path)
    }
    chown(folder, user, gid_t.max)
  }

  /// Deletes the copies.
  func remove() {
    for file in files { unlink(file) }
    rmdir(folder)
  }

  private static func bytes(of kind: SecretFile.Kind, _ unit: String) -> [UInt8]? {
    let places =
      ["/run/credentials/\(unit).service/\(kind.rawValue)"]
      + ["/etc", "/run", "/usr/lib"].map { "\($0)/credstore/\(unit).\(kind.rawValue)" }
    return places.lazy.compactMap { SecretFile.bytes(at: $0) }.first
  }

  private static func madeFolder() -> String? {
    var template = Array("/dev/shm/box-eventd-XXXXXX".utf8CString)
    return template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
  }
}
