/// Entries that Box has been seen to send, or may, and that break careless clients.
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
  /// All of JSON's escapes, among them NUL and a surrogate without its partner.
  case escapes
  case nullSource = "null-source"
  /// An unknown member, 64 arrays deep.
  case nested
  /// White space and line breaks between the tokens.
  case spaced
  /// `null` where an event should be: no event.
  case nullEntry = "null-entry"
  /// A string where an event should be: no event.
  case nonObject = "non-object"

  /// Whether it is an event at all: a JSON object.
  package var isEvent: Bool { self != .nullEntry && self != .nonObject }

  /// All but ``spaced``, whose bytes a spool may change.
  package static let everyday = allCases.filter { $0 != .spaced }
}
