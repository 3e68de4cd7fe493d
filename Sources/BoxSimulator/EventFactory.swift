import BoxEvents

/// Makes realistic events, the same ones for the same seed, user and stream type.
///
/// User events look like Box's: 40 hexadecimal digits of id and a full file object. Enterprise
/// events have a UUID, `ip_address` and `additional_details`.
package struct EventFactory: Sendable {
  private let isEnterprise: Bool
  private let sizes: ClosedRange<Int>
  private var random: SplitMix64
  private var ordinal = 0
  /// The text of the last time asked for: a backlog has many events of the same second.
  private var time: (seconds: Int64, text: [UInt8]) = (.min, [])

  /// - Parameter sizes: bytes of an ordinary event; at least about 1,050.
  package init(seed: UInt64, user: String, type: String, sizes: ClosedRange<Int> = 1100...1650) {
    isEnterprise = type.hasPrefix("admin_logs")
    self.sizes = sizes
    random = SplitMix64(seed: seed, name: "\(user)/\(type)")
  }

  /// The next ordinary event.
  /// - Parameter secondsSince1970: its `created_at`.
  package mutating func next(secondsSince1970: Int64) -> [UInt8] {
    event(Parts(), secondsSince1970)
  }

  /// An event of about `byteCount` bytes, most of them in one description.
  package mutating func large(byteCount: Int, secondsSince1970: Int64) -> [UInt8] {
    event(Parts(size: byteCount...byteCount), secondsSince1970)
  }

  /// The next event, unusual in one way.
  package mutating func odd(_ kind: OddEvent, secondsSince1970 seconds: Int64) -> [UInt8] {
    let id = nextID()
    switch kind {
    case .missingID: return event(Parts(id: ""), seconds)
    case .nullID: return event(Parts(id: #""event_id":null,"#), seconds)
    case .emptyID: return event(Parts(id: #""event_id":"","#), seconds)
    case .numericID:
      return event(Parts(id: #""event_id":9007199254740993\#(1000 + ordinal),"#), seconds)
    case .duplicateKeys: return event(Parts(id: #""event_id":"\#(id)","event_id":"\#(id)-2","#), seconds)
    case .escapedID: return event(Parts(id: #""event_id":"\u0065\#(id)","#), seconds)
    case .escapedKey: return event(Parts(id: #""event\u005fid":"\#(id)","#), seconds)
    case .floatSize: return event(Parts(fileSize: "1.2318237429383e+31"), seconds)
    case .unicode: return event(Parts(name: "Übersicht 日本語 \u{1F5C2}\u{FE0F} \u{202E}fdp.exe"), seconds)
    case .escapes:
      return event(Parts(name: #"\u00dc \"q\" \\ \/ \b\f\n\r\t \u0000 \ud83d\ude00 \ud800 end"#), seconds)
    case .nullSource: return event(Parts(hasSource: false), seconds)
    case .nested:
      let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
      return event(Parts(extra: #""nested":\#(deep),"#), seconds)
    case .spaced: return event(Parts(extra: "\n  \"spaced\" :\t[ 1 ,\r\n 2 ] , "), seconds)
    case .nullEntry: return Array("null".utf8)
    case .nonObject: return Array(#""not an event \#(id)""#.utf8)
    }
  }
}

extension EventFactory {
  /// The parts of an event that an unusual one changes; all of them valid JSON.
  private struct Parts {
    var id: String?
    var name = "Quarterly report"
    var fileSize = "482133"
    var hasSource = true
    var extra = ""
    var size: ClosedRange<Int>?
  }

  private mutating func event(_ parts: Parts, _ seconds: Int64) -> [UInt8] {
    ordinal += 1
    let size = Int.random(in: parts.size ?? sizes, using: &random)
    let id = parts.id ?? #""event_id":"\#(nextID())","#
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 64)
    append(isEnterprise ? "{" : #"{"type":"event","#, to: &bytes)
    append(id + parts.extra, to: &bytes)
    if isEnterprise {
      appendEnterprise(parts, seconds, size, to: &bytes)
    } else {
      appendUser(parts, seconds, size, to: &bytes)
    }
    return bytes
  }

  private mutating func appendUser(
    _ parts: Parts, _ seconds: Int64, _ size: Int, to bytes: inout [UInt8]
  ) {
    let types = ["ITEM_UPLOAD", "ITEM_RENAME", "ITEM_PREVIEW", "ITEM_DOWNLOAD", "ITEM_OPEN", "ITEM_MODIFY"]
    let type = types[Int(truncatingIfNeeded: random.next() % UInt64(types.count))]
    append(#""created_by":\#(Self.user),"event_type":"\#(type)","session_id":null,"#, to: &bytes)
    appendTimes(seconds, to: &bytes)
    guard parts.hasSource else { return append(#","source":null}"#, to: &bytes) }
    let file = String(1_000_000_000 + ordinal)
    append(#","source":{"type":"file","id":"\#(file)","etag":"1","sequence_id":"1","name":"#, to: &bytes)
    append(#""\#(parts.name) \#(ordinal).pdf","size":\#(parts.fileSize),"#, to: &bytes)
    bytes += Self.userTail
    appendDescription(filling: size, to: &bytes)
    bytes += Array("}}".utf8)
  }

  private mutating func appendEnterprise(
    _ parts: Parts, _ seconds: Int64, _ size: Int, to bytes: inout [UInt8]
  ) {
    append(#""type":"event","created_by":\#(Self.user),"event_type":"DOWNLOAD","#, to: &bytes)
    append(#""session_id":null,"ip_address":"203.0.113.\#(ordinal % 256)","#, to: &bytes)
    append(#""additional_details":{"size":\#(parts.fileSize),"service_name":"Box Web App"},"#, to: &bytes)
    appendTimes(seconds, to: &bytes)
    guard parts.hasSource else { return append(#","source":null}"#, to: &bytes) }
    append(
      #","source":{"item_type":"file","item_id":"\#(ordinal)","item_name":"\#(parts.name)","#, to: &bytes)
    appendDescription(filling: size, to: &bytes)
    bytes += Array("}}".utf8)
  }

  private mutating func appendTimes(_ seconds: Int64, to bytes: inout [UInt8]) {
    if time.seconds != seconds {
      time = (seconds, Array(DateText.event(secondsSince1970: seconds).utf8))
    }
    append(#""created_at":""#, to: &bytes)
    bytes += time.text
    append(#"","recorded_at":""#, to: &bytes)
    bytes += time.text
    append("\"", to: &bytes)
  }

  private func appendDescription(filling size: Int, to bytes: inout [UInt8]) {
    append(#""description":""#, to: &bytes)
    var missing = size - bytes.count - 3
    while missing > 0 {
      let part = min(missing, Self.filler.count)
      bytes += Self.filler[..<part]
      missing -= part
    }
    append("\"", to: &bytes)
  }

  private mutating func nextID() -> String {
    var digits = ""
    for _ in 0..<3 {
      let word = String(random.next(), radix: 16)
      digits += String(repeating: "0", count: 16 - word.count) + word
    }
    guard isEnterprise else { return String(digits.prefix(40)) }
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    let text = Array(digits.utf8)
    return groups.map { String(decoding: text[$0], as: UTF8.self) }.joined(separator: "-")
  }

  private func append(_ text: String, to bytes: inout [UInt8]) { bytes += text.utf8 }

  private static let user =
    #"{"type":"user","id":"11446498","name":"Ada Example","login":"ada@example.com"}"#

  private static let filler = Array(
    "Minutes of the weekly meeting, second draft, with the numbers for the quarter. ".utf8)

  private static let userTail = Array(
    (#""sha1":"85136c79cbf9fe36bb9d05d0639c70c265c18d37","file_version":{"type":"file_version","#
      + #""id":"26261748416","sha1":"85136c79cbf9fe36bb9d05d0639c70c265c18d37"},"path_collection":"#
      + #"{"total_count":2,"entries":[{"type":"folder","id":"0","sequence_id":null,"etag":null,"#
      + #""name":"All Files"},{"type":"folder","id":"160111","sequence_id":"3","etag":"3","#
      + #""name":"Reports"}]},"trashed_at":null,"purged_at":null,"modified_by":"# + user
      + #","owned_by":"# + user + #","shared_link":null,"item_status":"active","#).utf8)
}

/// Entries that Box sends, or may send, and that break careless clients.
///
/// Sources: typed clients' bug trackers (ids as numbers, sizes in exponent form, missing ids) and
/// the JSON grammar (RFC 8259) for the rest.
package enum OddEvent: String, Sendable, CaseIterable {
  case missingID = "missing-id"
  case nullID = "null-id"
  case emptyID = "empty-id"
  case numericID = "numeric-id"
  /// `event_id` twice in one object.
  case duplicateKeys = "duplicate-keys"
  /// The id's first character written as an escape.
  case escapedID = "escaped-id"
  /// The key `event_id` written with an escape.
  case escapedKey = "escaped-key"
  /// `"size":1.2318237429383e+31`
  case floatSize = "float-size"
  case unicode
  /// All of JSON's escapes, including NUL and an unpaired surrogate.
  case escapes
  case nullSource = "null-source"
  /// An unknown member, 64 arrays deep.
  case nested
  /// White space and line breaks between the tokens.
  case spaced
  /// `null` in place of an event.
  case nullEntry = "null-entry"
  /// A string in place of an event.
  case nonObject = "non-object"

  /// Whether it is an event: a JSON object.
  package var isEvent: Bool { self != .nullEntry && self != .nonObject }

  /// All but ``spaced``: a spool may change its bytes.
  package static let everyday = allCases.filter { $0 != .spaced }
}
