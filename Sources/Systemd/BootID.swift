import CSystemd

/// The name of the time since the machine started: another one after every boot.
package enum BootID {
  /// What the unit sets from `%b`. In a container systemd knows the container's boot id, while the
  /// sandbox's fresh `/proc` shows that of the host, which outlives the container's disk.
  static let variable = "BOOT_ID"

  /// 32 lower-case hexadecimal digits, as the journal's `_BOOT_ID=`: from `$BOOT_ID` where the unit
  /// sets it, else from the kernel.
  ///
  /// The corresponding C function is `sd_id128_get_boot`.
  package static func current() throws(SystemdError) -> String {
    if let text = ProcessEnvironment.value(of: variable), isValid(text) { return text }
    do {
      return try ofKernel().get()
    } catch {
      throw SystemdError(
        .bootIDUnavailable, "cannot read the kernel's boot id",
        hint: "set \(variable)=%b with Environment= in the unit", errno: error.rawValue)
    }
  }

  /// Whether this is an id: 32 lower-case hexadecimal digits, not all zero.
  static func isValid(_ text: String) -> Bool {
    text.utf8.count == 32 && text != String(repeating: "0", count: 32)
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  static func ofKernel() -> Result<String, Errno> {
    var id = sd_id128_t()
    return valueOrErrno(sd_id128_get_boot(&id)).map { _ in hexadecimal(id) }
  }

  private static func hexadecimal(_ id: sd_id128_t) -> String {
    withUnsafeBytes(of: id.bytes) { bytes in
      bytes.reduce(into: "") { text, byte in
        if byte < 0x10 { text += "0" }
        text += String(byte, radix: 16)
      }
    }
  }
}
