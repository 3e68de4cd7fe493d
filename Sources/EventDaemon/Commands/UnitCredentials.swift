import Glibc

/// What a command that root has started knows of a credential of the unit.
package enum CredentialOrigin: Hashable, Sendable {
  /// The file that the next start reads, and whether the running service has another secret.
  case file(String, isNew: Bool)
  /// The running service. Without a source that is known, its next start may go without.
  case service(hasSource: Bool)
  /// Encrypted, and the service doesn't run: it can't be read.
  case unseen
}

/// Where the next start of a unit gets its credentials from, as far as root can see it: systemd.exec(5),
/// "LoadCredential=".
struct CredentialSources {
  enum Source: Hashable {
    case file(String)
    /// Encrypted, or in the text of a unit: only the running service has it in plain.
    case unreadable
  }

  let unit: String
  /// For tests, the folder that stands for /.
  var root = ""

  /// The secret with its origin; the secret is nil where it can't be read.
  /// - Parameter needsCredential: no key names a file, which the next start would use without a credential.
  func credential(
    _ kind: SecretFile.Kind, needsCredential: Bool
  ) -> (origin: CredentialOrigin, bytes: [UInt8]?)? {
    let running = bytes(of: "\(root)/run/credentials/\(unit).service/\(kind.rawValue)")
    switch source(of: kind) {
    case .file(let path):
      guard let bytes = bytes(of: path) else { return nil }
      return (.file(path, isNew: running.map { $0 != bytes } ?? false), bytes)
    // That the unit passes it on isn't certain: the key's file is worth a check.
    case .unreadable where running == nil && !needsCredential: return nil
    case .unreadable: return (running == nil ? .unseen : .service(hasSource: true), running)
    case nil: return needsCredential ? running.map { (.service(hasSource: false), $0) } : nil
    }
  }

  /// The last setting of a drop-in wins, as in systemd. The units name a file of the credential stores.
  func source(of kind: SecretFile.Kind) -> Source? {
    let setting = settings(of: kind).last ?? (name: "LoadCredential", value: "\(unit).\(kind.rawValue)")
    guard setting.name == "LoadCredential" else { return .unreadable }
    if setting.value.hasPrefix("/") { return file(setting.value) }
    let stores = ["/run/credentials/@system"] + Self.prefixes.map { "\($0)/credstore" }
    if let found = stores.lazy.compactMap({ file("\($0)/\(setting.value)") }).first { return found }
    let isEncrypted = Self.prefixes.contains { prefix in
      [setting.value, kind.rawValue].contains { file("\(prefix)/credstore.encrypted/\($0)") != nil }
    }
    return isEncrypted ? .unreadable : nil
  }

  private static let prefixes = ["/etc", "/run", "/usr/local/lib", "/usr/lib"]

  private func file(_ path: String) -> Source? {
    access(root + path, F_OK) == 0 ? .file(root + path) : nil
  }

  /// Such as `LoadCredentialEncrypted=client-secret:/etc/box-eventd/client-secret.cred`.
  private func settings(of kind: SecretFile.Kind) -> [(name: String, value: String)] {
    let template = unit.firstIndex(of: "@").map { unit[...$0] }
    let folders = ([template, unit[...]].compactMap(\.self)).flatMap { unit in
      ["/etc", "/run"].map { "\(root)\($0)/systemd/system/\(unit).service.d" }
    }
    let files = folders.flatMap { folder in
      ((try? FileContents.names(in: folder)) ?? []).filter { $0.hasSuffix(".conf") }
        .map { (name: $0, path: "\(folder)/\($0)") }
    }
    return files.sorted { $0.name < $1.name }.flatMap { file in
      String(decoding: bytes(of: file.path) ?? [], as: UTF8.self).split(whereSeparator: \.isNewline)
        .compactMap { setting($0, kind) }
    }
  }

  private func setting(_ line: Substring, _ kind: SecretFile.Kind) -> (name: String, value: String)? {
    let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
    let names = ["LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted"]
    guard parts.count == 2, names.contains(parts[0]) else { return nil }
    let value = parts[1].split(separator: ":", maxSplits: 1)
    guard value.first.map({ $0 == kind.rawValue }) == true else { return nil }
    let instance = unit.split(separator: "@", maxSplits: 1).last ?? ""
    return (parts[0], String(value.last ?? "").replacing("%i", with: instance))
  }

  private func bytes(of path: String) -> [UInt8]? {
    try? FileContents(path, maximumSize: SecretFile.maximumSize).bytes
  }
}

/// The secrets the next start of a configuration's unit gets as credentials, for commands in a shell.
///
/// systemd hands credentials to the service alone: systemd.exec(5), "LoadCredential=". Root can read their sources.
/// A command that then becomes the service's user needs copies: they lie in memory, open to that user alone, until
/// the command ends.
struct UnitCredentials: Sendable {
  /// A folder like the service's `$CREDENTIALS_DIRECTORY`; nil where there is nothing to copy.
  private(set) var folder: String?
  private(set) var origins: [SecretFile.Kind: CredentialOrigin] = [:]
  private var files: [String] = []

  /// Empty unless started as root, outside of the service.
  init(of configurationPath: String, environment: [String: String], for user: uid_t) {
    guard geteuid() == 0, environment["CREDENTIALS_DIRECTORY"] == nil else { return }
    let configuration = Configuration.readable(configurationPath, environment: environment).configuration
    let sources = CredentialSources(unit: Configuration.unit(of: configurationPath))
    for kind in SecretFile.Kind.allCases {
      let needsCredential = configuration.configuredPath(kind) == nil
      // Another file than the units' is one to run by hand: its keys count.
      guard needsCredential || configurationPath.hasPrefix("/etc/box-eventd/") else { continue }
      guard let found = sources.credential(kind, needsCredential: needsCredential) else { continue }
      origins[kind] = found.origin
      guard let bytes = found.bytes, let folder = folder ?? Self.madeFolder() else { continue }
      self.folder = folder
      let path = "\(folder)/\(kind.rawValue)"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
      guard descriptor >= 0 else { continue }
      _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      fchown(descriptor, user, gid_t.max)
      close(descriptor)
      files.append(path)
    }
    if let folder { chown(folder, user, gid_t.max) }
  }

  /// Deletes the copies.
  func remove() {
    for file in files { unlink(file) }
    if let folder { rmdir(folder) }
  }

  private static func madeFolder() -> String? {
    var template = Array("/dev/shm/box-eventd-XXXXXX".utf8CString)
    return template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
  }
}
