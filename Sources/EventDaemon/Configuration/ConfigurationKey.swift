/// The keys of the configuration file: the one list of what is known.
enum ConfigurationKey {
  /// Tables in the order of the file, each with its keys.
  static let tables: [(name: String, keys: [String])] = [
    (
      "box",
      ["api_url", "token_url", "realtime_hosts", "proxy", "proxy_auth_file", "max_page", "ca_file"]
    ),
    (
      "auth",
      ["method", "client_id", "subject", "client_secret_file", "settings_file", "access_token_file"]
    ),
    ("spool", ["directory", "segment_size", "segment_age", "keep_free", "max_size", "max_age"]),
    ("state", ["directory"]),
    ("status", ["socket", "listen"]),
    ("log", ["level"]),
    ("stream", ["name", "type", "as_user", "subject", "start", "overlap_check"]),
  ]

  static func keys(of table: String) -> [String] {
    tables.first { $0.name == table }?.keys ?? []
  }

  /// Keys someone might put a secret under, with the key that names a file for it.
  static let secretKeys: [String: String] = [
    "client_secret": "client_secret_file", "access_token": "access_token_file",
    "settings": "settings_file", "jwt_settings": "settings_file", "private_key": "settings_file",
    "passphrase": "settings_file", "proxy_auth": "proxy_auth_file",
    "proxy_password": "proxy_auth_file",
  ]

  /// The one of `known` that was probably meant: fewer than half of its letters differ.
  static func nearest(to text: String, among known: [String]) -> String? {
    known.map { (key: $0, distance: editDistance(text, $0)) }
      .filter { $0.distance * 2 < max($0.key.count, 3) }
      .min { $0.distance < $1.distance }?.key
  }

  /// Insertions, deletions, replacements and exchanges of neighbours from one text to the other
  /// (optimal string alignment).
  static func editDistance(_ left: String, _ right: String) -> Int {
    // A key beyond any known one's length is near to none of them.
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
