import Glibc
import SystemPackage

/// One file of the configuration, read but not yet parsed.
struct ConfigurationFile: Hashable, Sendable {
  /// As it appears in messages.
  var path: String
  var text: String

  /// Thousands of streams stay far below it.
  static let maximumSize = 16 << 20

  private static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile {
    let contents: FileContents
    do {
      contents = try FileContents(path, maximumSize: maximumSize)
    } catch {
      throw ConfigurationError(
        "\(path): \(error.message)",
        hint: error.isMissing ? "Create it, or name another file with --config FILE." : error.hint,
        isDenied: error.isDenied)
    }
    guard !contents.bytes.contains(0), let text = String(validating: contents.bytes, as: UTF8.self) else {
      throw ConfigurationError(
        "\(path): not UTF-8 text, at line \(lineOfBadText(contents.bytes))", hint: "Save the file as UTF-8.")
    }
    return ConfigurationFile(path: path, text: text)
  }

  /// The paths of the main file, then of `*.toml` in the folder named like it with `.d`, in order of name.
  private static func paths(_ path: String) throws(ConfigurationError) -> [String] {
    let folder = path + ".d"
    let dropIns = try FileContents.names(in: folder)
      .filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return [path] + dropIns.map { "\(folder)/\($0)" }
  }

  /// The paths of files in that folder which are not read. Hidden ones that don't end in `.toml` are an editor's.
  static func ignored(_ path: String) -> [String] {
    let folder = path + ".d"
    let names = ((try? FileContents.names(in: folder)) ?? []).sorted()
    return names.filter { $0.hasSuffix(".toml") == $0.hasPrefix(".") }.map { "\(folder)/\($0)" }
  }

  /// All files of a configuration.
  static func readAll(_ path: String) throws(ConfigurationError) -> [ConfigurationFile] {
    var files: [ConfigurationFile] = []
    var problems: [ConfigurationError.Problem] = []
    for file in try paths(path) {
      do {
        files.append(try read(file))
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    return files
  }

  /// Those that can be read.
  static func readable(_ path: String) -> [ConfigurationFile] {
    ((try? paths(path)) ?? [path]).compactMap { try? read($0) }
  }

  private static func lineOfBadText(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let bad = lines.firstIndex { $0.contains(0) || String(validating: $0, as: UTF8.self) == nil }
    return (bad ?? 0) + 1
  }
}

/// The contents of a small file, with its owner and mode: every file of the configuration is read with this.
struct FileContents {
  var bytes: [UInt8]
  var owner: uid_t
  /// The permission bits.
  var mode: mode_t

  /// Why a file was not read.
  struct Refusal: Error, Hashable {
    var message: String
    var hint: String
    var isMissing = false
    var isDenied = false
  }

  /// Reads a regular file of at most `maximumSize` bytes. Follows links: what counts is the owner and mode of the
  /// file at their end.
  init(_ path: String, maximumSize: Int) throws(Refusal) {
    // Without O_NONBLOCK, opening a fifo would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw Refusal.failed(errno, path) }
    defer { close(descriptor) }
    let status: Stat
    do throws(Errno) {
      status = try Stat(FileDescriptor(rawValue: descriptor))
    } catch {
      throw Refusal.failed(error.rawValue, path)
    }
    guard status.type == .regular else {
      throw Refusal(message: "not a regular file", hint: "Put a plain file there.")
    }
    owner = status.userID.rawValue
    mode = status.permissions.rawValue
    bytes = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Refusal.failed(errno, path) }
      guard count > 0 else { return }
      bytes += chunk[..<count]
      guard bytes.count <= maximumSize else {
        throw Refusal(
          message: "larger than \(maximumSize >> 10) KiB", hint: "Check that it is the right file.")
      }
    }
  }

  /// The names in a folder; empty if the folder doesn't exist.
  static func names(in folder: String) throws(ConfigurationError) -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT { return [] }
      let refusal = Refusal.failed(errno, folder)
      throw ConfigurationError(
        "\(folder): \(refusal.message)", hint: refusal.hint, isDenied: refusal.isDenied)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }
}

extension FileContents.Refusal {
  /// An error of the system in words, with the remedies that usually help.
  static func failed(_ number: CInt, _ path: String) -> Self {
    switch number {
    case ENOENT: Self(message: "no such file", hint: "Create it, or name another file.", isMissing: true)
    case EACCES, EPERM:
      Self(
        message: "permission denied",
        hint: "Let \(userName) read it and enter the folders above it; see: namei -l \(path).",
        isDenied: true)
    default: Self(message: String(cString: strerror(number)), hint: "Check \(path).")
    }
  }

  private static var userName: String {
    getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(geteuid())"
  }
}
