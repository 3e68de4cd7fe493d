/// An error number of the system.
struct Errno: Error, Hashable, RawRepresentable {
  var rawValue: Int32
}

/// Every function of libsystemd returns a negative errno for a failure; this turns it into a result.
func valueOrErrno(_ result: CInt) -> Result<CInt, Errno> {
  result < 0 ? .failure(Errno(rawValue: -result)) : .success(result)
}
