import Glibc

/// The secrets systemd hands to a service as files: `LoadCredential=` and `LoadCredentialEncrypted=`.
/// See systemd.exec(5), "Credentials".
public struct Credentials: Hashable, Sendable {
  /// Where they are; nil when the service has none.
  public let directory: String?

  public init(directory: String?) {
    self.directory = directory
  }

  /// Those of this process, from `$CREDENTIALS_DIRECTORY`.
  public static func ofThisProcess() -> Credentials {
    Credentials(directory: ProcessEnvironment.value(of: "CREDENTIALS_DIRECTORY"))
  }

  /// The path of a credential; nil when it was not handed over.
  /// - Parameter name: a file name such as `client-secret`; anything that would lead out of the
  ///   directory is no credential.
  public func path(of name: String) -> String? {
    guard let directory, Self.isFileName(name) else { return nil }
    let path = "\(directory)/\(name)"
    return access(path, F_OK) == 0 ? path : nil
  }

  private static func isFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0x2F || $0 == 0 }
  }
}
