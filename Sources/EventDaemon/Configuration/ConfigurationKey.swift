import BoxEvents

/// One key: its name, its kind of value, and where the value goes.
struct ConfigurationKey: Sendable {
  /// A secret whose file the key names.
  struct Secret: Sendable {
    var kind: SecretFile.Kind
    var path: any KeyPath<Configuration, String?> & Sendable
    /// Keys under which an operator might write the secret itself.
    var insteadOf: [String]
  }

  let name: String
  /// One sentence on what the key is, with which its comment in `config/box-eventd.toml` begins.
  let summary: String
  /// What a value may be, to follow "Give": `a size of 64KiB to 1GiB, such as "64MiB"`.
  let allowed: String
  /// Words and bounds that the same comment must name.
  let documented: [String]
  /// A reload takes over a new value; without it, only a restart does.
  let isReloaded: Bool
  let secret: Secret?
  /// What to do instead of writing a user and password into the value, where one could.
  let userHint: String?
  /// Puts a value into a configuration, for a key of `[[stream]]` into the last stream; false if it isn't allowed.
  let set: @Sendable (TOMLNode, inout Configuration) -> Bool
  /// Takes the default from the unit's environment.
  let setDefault: @Sendable ([String: String], inout Configuration) -> Void
  /// Whether two configurations have the same value.
  let isEqual: @Sendable (Configuration, Configuration) -> Bool
  /// Takes over the value of another configuration.
  let copy: @Sendable (_ from: Configuration, _ to: inout Configuration) -> Void

  private init<Root, Value: Equatable>(
    _ name: String, _ kind: ValueKind<Value>, isReloaded: Bool, _ summary: String,
    _ path: any WritableKeyPath<Root, Value> & Sendable,
    in root: any WritableKeyPath<Configuration, Root> & Sendable, secret: Secret? = nil
  ) {
    self.name = name
    self.summary = summary
    allowed = kind.allowed
    documented = kind.documented + [secret?.kind.rawValue].compactMap(\.self)
    self.isReloaded = isReloaded
    self.secret = secret
    userHint = kind.userHint
    set = { node, configuration in
      guard let value = kind.parse(node) else { return false }
      configuration[keyPath: root][keyPath: path] = value
      return true
    }
    setDefault = { environment, configuration in
      if let value = kind.unitValue?(environment) { configuration[keyPath: root][keyPath: path] = value }
    }
    isEqual = { $0[keyPath: root][keyPath: path] == $1[keyPath: root][keyPath: path] }
    copy = { $1[keyPath: root][keyPath: path] = $0[keyPath: root][keyPath: path] }
  }

  /// A key of a table.
  init<Value: Equatable>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ kind: ValueKind<Value>,
    isReloaded: Bool = false, _ summary: String
  ) {
    self.init(name, kind, isReloaded: isReloaded, summary, path, in: \.self)
  }

  /// A key that names the file of a secret.
  init(
    _ name: String, _ path: any WritableKeyPath<Configuration, String?> & Sendable, secret: SecretFile.Kind,
    insteadOf: [String], _ summary: String
  ) {
    let secret = Secret(kind: secret, path: path, insteadOf: insteadOf)
    self.init(name, .optional(.absolutePath), isReloaded: true, summary, path, in: \.self, secret: secret)
  }

  /// A key of `[[stream]]`.
  init<Value: Equatable>(
    _ name: String, ofStream path: any WritableKeyPath<Configuration.Stream, Value> & Sendable,
    _ kind: ValueKind<Value>, _ summary: String
  ) {
    self.init(name, kind, isReloaded: true, summary, path, in: \.lastStream)
  }
}

extension Configuration {
  /// The stream being read; one without a name where there is none yet.
  fileprivate var lastStream: Stream {
    get { streams.last ?? Stream(name: "") }
    set { if !streams.isEmpty { streams[streams.count - 1] = newValue } }
  }
}

extension ConfigurationKey {
  /// The one of `known` that was probably meant: fewer than half of its letters differ.
  static func nearest(to text: String, among known: [String]) -> String? {
    known.map { (key: $0, distance: editDistance(text, $0)) }
      .filter { $0.distance * 2 < max($0.key.count, 3) }
      .min { $0.distance < $1.distance }?.key
  }

  /// Insertions, deletions, replacements and exchanges of neighbours from one text to the other
  /// (optimal string alignment).
  static func editDistance(_ left: String, _ right: String) -> Int {
    // A text longer than any key is near to none.
    let (a, b) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
