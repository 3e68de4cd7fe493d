import Glibc
import TestSystem

/// The contents; empty if the file is missing.
func readFile(_ path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var contents: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return contents }
    contents.append(contentsOf: chunk[..<count])
  }
}

/// Writes a file anew.
func writeFile(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o600) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  fchmod(descriptor, mode)
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written > 0 else { return }
    rest = rest.dropFirst(written)
  }
}

/// The names in a directory, without `.` and `..`; empty if it is missing.
func directoryNames(_ path: String) -> [String] {
  guard let directory = opendir(path) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Every regular file below a directory.
func files(below path: String) -> [String] {
  directoryNames(path).flatMap { name -> [String] in
    let child = "\(path)/\(name)"
    switch FileFacts(child)?.kind {
    case .directory: return files(below: child)
    case .file: return [child]
    case .socket, .other, nil: return []
    }
  }
}

extension [UInt8] {
  /// Lines as the C library finds them: a test's own loops over bytes are slow without optimisation.
  var lines: [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count, let base = bytes.baseAddress {
        let found = memchr(base + start, 10, bytes.count - start)
        let end = found.map { base.distance(to: UnsafeRawPointer($0)) } ?? bytes.count
        lines.append(self[start..<end])
        start = end + 1
      }
    }
    return lines
  }

  /// Whether this text occurs.
  func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    return withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      var start = 0
      while bytes.count - start >= wanted.count,
        let found = memchr(base + start, Int32(first), bytes.count - start - wanted.count + 1)
      {
        if memcmp(found, wanted, wanted.count) == 0 { return true }
        start = base.distance(to: UnsafeRawPointer(found)) + 1
      }
      return false
    }
  }

  func isSame(as other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    return withUnsafeBytes { own in
      other.withUnsafeBytes { other in
        guard let one = own.baseAddress, let two = other.baseAddress else { return true }
        return memcmp(one, two, own.count) == 0
      }
    }
  }
}
