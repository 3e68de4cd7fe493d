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
  /// The members with the last time asked for: a backlog has many events of the same second.
  private var time: (seconds: Int64, text: String) = (.min, "")

  /// - Parameter sizes: bytes of an ordinary event; at least about 1,050.
  package init(seed: UInt64, user: String, type: String, sizes: ClosedRange<Int> = 1100...1650) {
    isEnterprise = type.hasPrefix("admin_logs")
    self.sizes = sizes
    random = SplitMix64(seed: seed, name: "\(user)/\(type)")
  }

  /// The next ordinary event.
  /// - Parameter secondsSince1970: its `created_at`.
  package mutating func next(secondsSince1970: Int64) -> [UInt8] { event(Parts(), secondsSince1970) }

  /// An event of about `byteCount` bytes, most of them in one description.
  package mutating func large(byteCount: Int, secondsSince1970: Int64) -> [UInt8] {
    event(Parts(size: byteCount...byteCount), secondsSince1970)
  }

  /// The next event, unusual in one way.
  package mutating func odd(_ kind: OddEvent, secondsSince1970: Int64) -> [UInt8] {
    let id = nextID()
    var parts = Parts()
    switch kind {
    case .missingID: parts.id = ""
    case .nullID: parts.id = #""event_id":null,"#
    case .emptyID: parts.id = #""event_id":"","#
    case .numericID: parts.id = #""event_id":9007199254740993\#(1000 + ordinal),"#
    case .duplicateKeys: parts.id = #""event_id":"\#(id)","event_id":"\#(id)-2","#
    case .escapedID: parts.id = #""event_id":"\u0065\#(id)","#
    case .escapedKey: parts.id = #""event\u005fid":"\#(id)","#
    case .floatSize: parts.fileSize = "1.2318237429383e+31"
    case .unicode: parts.name = "Übersicht 日本語 \u{1F5C2}\u{FE0F} \u{202E}fdp.exe"
    case .escapes: parts.name = #"\u00dc \"q\" \\ \/ \b\f\n\r\t \u0000 \ud83d\ude00 \ud800 end"#
    case .nullSource: parts.hasSource = false
    case .nested:
      let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
      parts.extra = #""nested":\#(deep),"#
    case .spaced: parts.extra = "\n  \"spaced\" :\t[ 1 ,\r\n 2 ] , "
    case .nullEntry: return Array("null".utf8)
    case .nonObject: return Array(#""not an event \#(id)""#.utf8)
    }
    return event(parts, secondsSince1970)
  }

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
    bytes += (isEnterprise ? "{" : #"{"type":"event","#).utf8
    bytes += (id + parts.extra).utf8
    bytes += (isEnterprise ? enterpriseHead(parts) : userHead()).utf8
    if time.seconds != seconds {
      let text = DateText.event(secondsSince1970: seconds)
      time = (seconds, #""created_at":"\#(text)","recorded_at":"\#(text)""#)
    }
    bytes += time.text.utf8
    if parts.hasSource {
      bytes += (isEnterprise ? enterpriseSource(parts) : userSource(parts)).utf8
      appendDescription(filling: size, to: &bytes)
      bytes += "}}".utf8
    } else {
      bytes += #","source":null}"#.utf8
    }
    return bytes
  }

  private mutating func userHead() -> String {
    let types = ["ITEM_UPLOAD", "ITEM_RENAME", "ITEM_PREVIEW", "ITEM_DOWNLOAD", "ITEM_OPEN", "ITEM_MODIFY"]
    let type = types[Int(truncatingIfNeeded: random.next() % UInt64(types.count))]
    return #""created_by":\#(Self.user),"event_type":"\#(type)","session_id":null,"#
  }

  private func userSource(_ parts: Parts) -> String {
    #","source":{"type":"file","id":"\#(1_000_000_000 + ordinal)","etag":"1","sequence_id":"1","name":"#
      + #""\#(parts.name) \#(ordinal).pdf","size":\#(parts.fileSize),"# + Self.userTail
  }

  private func enterpriseHead(_ parts: Parts) -> String {
    #""type":"event","created_by":\#(Self.user),"event_type":"DOWNLOAD","#
      + #""session_id":null,"ip_address":"203.0.113.\#(ordinal % 256)","#
      + #""additional_details":{"size":\#(parts.fileSize),"service_name":"Box Web App"},"#
  }

  private func enterpriseSource(_ parts: Parts) -> String {
    #","source":{"item_type":"file","item_id":"\#(ordinal)","item_name":"\#(parts.name)","#
  }

  private func appendDescription(filling size: Int, to bytes: inout [UInt8]) {
    bytes += #""description":""#.utf8
    var missing = size - bytes.count - 3
    while missing > 0 {
      let part = min(missing, Self.filler.count)
      bytes += Self.filler[..<part]
      missing -= part
    }
    bytes.append(UInt8(ascii: "\""))
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

  private static let user =
    #"{"type":"user","id":"11446498","name":"Ada Example","login":"ada@example.com"}"#

  private static let filler = Array(
    "Minutes of the weekly meeting, second draft, with the numbers for the quarter. ".utf8)

  private static let userTail =
    #""sha1":"85136c79cbf9fe36bb9d05d0639c70c265c18d37","file_version":{"type":"file_version","#
    + #""id":"26261748416","sha1":"85136c79cbf9fe36bb9d05d0639c70c265c18d37"},"path_collection":"#
    + #"{"total_count":2,"entries":[{"type":"folder","id":"0","sequence_id":null,"etag":null,"#
    + #""name":"All Files"},{"type":"folder","id":"160111","sequence_id":"3","etag":"3","#
    + #""name":"Reports"}]},"trashed_at":null,"purged_at":null,"modified_by":\#(user),"#
    + #""owned_by":\#(user),"shared_link":null,"item_status":"active","#
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

  /// All but ``spaced``: a spool may change its bytes.
  package static let everyday = allCases.filter { $0 != .spaced }
}
