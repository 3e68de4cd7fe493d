import BoxEvents

/// What the value of a key may be, and how it is read.
struct ValueKind<Value: Sendable>: Sendable {
  /// To follow "Give": `an absolute path, beginning with /`.
  var allowed: String
  /// Words and bounds that the documentation of such a key must name.
  var documented: [String] = []
  /// What to do where the text holds a user and password, which no message may show.
  var userHint: String?
  /// The default that the unit's environment holds.
  var unitValue: (@Sendable ([String: String]) -> Value?)?
  /// Nil for a value that isn't allowed.
  var parse: @Sendable (TOMLNode) -> Value?

  /// A string that `parse` understands. No key takes control characters: they are invisible.
  static func text(
    _ allowed: String, documented: [String] = [], userHint: String? = nil,
    _ parse: @escaping @Sendable (String) -> Value?
  ) -> Self {
    Self(allowed: allowed, documented: documented, userHint: userHint) { node in
      guard case .string(let text) = node,
        !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
      else { return nil }
      return parse(text)
    }
  }

  /// Another kind, or nil for the empty string.
  /// - Parameter isAdvised: none is of use: a remedy names it.
  static func optional<Wrapped>(
    _ kind: ValueKind<Wrapped>, isAdvised: Bool = true
  ) -> Self where Value == Wrapped? {
    Self(
      allowed: kind.allowed + (isAdvised ? ", or \"\" for none" : ""), documented: kind.documented,
      userHint: kind.userHint
    ) { node in
      node == .string("") ? .some(nil) : kind.parse(node).map { .some($0) }
    }
  }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One word of a list.
  static var word: Self {
    let words = Value.allCases.map { "\"\($0.rawValue)\"" }
    return .text("one of \(words.joined(separator: ", "))", documented: words) { Value(rawValue: $0) }
  }
}

/// The kinds of value, each with its type.
extension ValueKind {
  /// Without a slash at its end.
  static var absolutePath: ValueKind<String> {
    .text("an absolute path, beginning with /, without control characters", ValueText.absolutePath)
  }

  static var socketPath: ValueKind<String> {
    .text(
      "an absolute path of at most 107 bytes, without control characters", documented: ["107 bytes"]
    ) { text in
      ValueText.absolutePath(text).flatMap { $0.utf8.count <= ValueText.maximumSocketPath ? $0 : nil }
    }
  }

  static var clientID: ValueKind<String> {
    .text("the client id of your Box app") { $0.utf8.allSatisfy { 0x21...0x7e ~= $0 } ? $0 : nil }
  }

  static var userID: ValueKind<String> {
    .text("a Box user's id, digits in quotes, such as \"123\"") { Subject.isID($0) ? $0 : nil }
  }

  static var streamName: ValueKind<String> {
    .text(
      "1 to 63 of a-z, 0-9, \".\", \"_\" and \"-\", the first a letter or digit", documented: ["1 to 63"]
    ) { Configuration.Stream.isName($0) ? $0 : nil }
  }

  /// `https`, or `http` to this machine.
  static var confidentialURL: ValueKind<WebURL> {
    .text(
      "a URL beginning with https:// (http:// only to this machine), without query or fragment",
      userHint: "Remove the user and password: the daemon signs in with [auth]."
    ) { text in ValueText.serverURL(text).flatMap { $0.isConfidential ? $0 : nil } }
  }

  static var proxyURL: ValueKind<WebURL> {
    .text(
      "the proxy's URL with its port, such as \"http://proxy.example:3128\"",
      userHint: "Put user:password into a file and name it with proxy_auth_file."
    ) { text in
      ValueText.serverURL(text).flatMap { $0.scheme == .http && $0.hasPort && $0.target == "/" ? $0 : nil }
    }
  }

  static var hosts: ValueKind<[HostPattern]> {
    .init(allowed: "a list of hosts, such as [\"*.box.com\"], without scheme or port") { node in
      guard case .array(let elements) = node, !elements.isEmpty else { return nil }
      let hosts = elements.compactMap { if case .string(let text) = $0 { HostPattern(text) } else { nil } }
      return hosts.count == elements.count ? hosts : nil
    }
  }

  static var listenAddress: ValueKind<ListenAddress> {
    .text("an address and a port, such as \"127.0.0.1:9464\"") { ListenAddress($0) }
  }

  static var subject: ValueKind<Subject> {
    let forms = ["\"user:ID\"", "\"enterprise:ID\""]
    return .text("\(forms.joined(separator: " or ")), the id in digits", documented: forms) { Subject($0) }
  }

  static var startPosition: ValueKind<ReadPosition> {
    let words = ["\"now\"", "\"oldest\""]
    return .text("\(words.joined(separator: ", ")) or a position, digits in quotes", documented: words) {
      ReadPosition($0)
    }
  }

  /// A whole number within bounds, or nil for zero.
  static func count(_ range: ClosedRange<Int>) -> ValueKind<Int?> {
    let bounds = "\(range.lowerBound) to \(range.upperBound)"
    return .init(allowed: "a whole number of \(bounds), or 0 for no limit", documented: [bounds]) { node in
      guard case .integer(let number) = node else { return nil }
      if number == 0 { return .some(nil) }
      return Int(exactly: number).flatMap { range.contains($0) ? .some(.some($0)) : nil }
    }
  }

  /// A number of bytes, with or without a unit.
  /// - Parameter orZero: zero is allowed too, for no limit.
  static func size(
    _ range: ClosedRange<ByteCount>, example: String, orZero: Bool = false
  ) -> ValueKind<ByteCount> {
    let bounds = "\(range.lowerBound) to \(range.upperBound)"
    return .init(
      allowed: "a size of \(bounds), such as \"\(example)\"" + (orZero ? ", or \"0\" for no limit" : ""),
      documented: [bounds]
    ) { node in
      let value: ByteCount? =
        switch node {
        case .string(let text): ByteCount(text)
        case .integer(let number): number >= 0 ? ByteCount(number) : nil
        case .boolean, .array, .table, .other: nil
        }
      return value.flatMap { range.contains($0) || (orZero && $0.bytes == 0) ? $0 : nil }
    }
  }

  /// At least a second, or zero, with or without quotes, for no limit.
  static var age: ValueKind<Duration> {
    .init(allowed: "a whole number of s, m, h, d or w, such as \"12h\", or \"0\" for no limit") { node in
      switch node {
      case .string(let text): Duration(configured: text)
      case .integer(let number): number == 0 ? .zero : nil
      case .boolean, .array, .table, .other: nil
      }
    }
  }

  /// A time within bounds, or nil for zero.
  static func interval(_ range: ClosedRange<Duration>) -> ValueKind<Duration?> {
    let bounds = "\(range.lowerBound.configured) to \(range.upperBound.configured)"
    return .init(
      allowed: "a time of \(bounds), such as \"1h\", or \"0\" for none", documented: [bounds]
    ) { node in
      guard let value = ValueKind<Duration>.age.parse(node) else { return nil }
      if value == .zero { return .some(nil) }
      return range.contains(value) ? .some(value) : .none
    }
  }
}

extension ValueKind<String> {
  /// The same with a default that systemd gives the unit in a variable: a directory, or a file in it.
  ///
  /// Source: systemd.exec(5), "RuntimeDirectory=".
  func unitDefault(_ variable: String, file: String? = nil) -> Self {
    var kind = self
    kind.documented.append("$\(variable)")
    kind.unitValue = { environment in
      // The variable may hold several directories; the first is the daemon's.
      let first = environment[variable]?.split(separator: ":").first.map(String.init)
      return first.flatMap(ValueText.absolutePath).map { directory in
        file.map { "\(directory)/\($0)" } ?? directory
      }
    }
    return kind
  }
}

/// Texts that several kinds of value share.
enum ValueText {
  /// sockaddr_un holds 108 bytes, the last of them NUL: unix(7).
  static let maximumSocketPath = 107

  /// Nil unless it begins with a slash; without slashes at its end.
  static func absolutePath(_ text: String) -> String? {
    guard text.hasPrefix("/"), !text.utf8.contains(0), text.utf8.count < 4_096 else { return nil }
    var path = text[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }

  /// The URL of a server, perhaps with a path; no query, no fragment.
  static func serverURL(_ text: String) -> WebURL? {
    text.contains("?") || text.contains("#") ? nil : WebURL(text)?.removingTrailingSlashes()
  }
}
