import BoxEvents

/// Why the daemon and Foundation may differ about what is valid JSON. Each kind is meant; any other is a bug
/// in one of them.
package enum Disagreement: String, CaseIterable, Sendable {
  /// Foundation overlooks a comma before a closing bracket: `[1,]`. RFC 8259, section 4 and 5, has none.
  case trailingComma
  /// Foundation also reads UTF-16, UTF-32 and a byte order mark. RFC 8259, section 8.1: UTF-8 without one.
  case encoding
  /// Foundation never looks into a member that another one with the same key hides: `{"a":1,"a":"\\x"}`.
  case hiddenMember
  /// Foundation refuses a number that no Double holds: `1e999`, `1e-999`. The daemon never converts numbers.
  case numberOutOfRange
  /// Foundation refuses some zeros with an exponent: `0e2` and `-0.0e8`, though not `0e0`. RFC 8259, section 6.
  case zeroWithExponent
  /// Foundation refuses an escaped surrogate without its partner: `"\ud800"`. RFC 8259, section 8.2, allows
  /// it, and Box sends names cut in the middle of a pair.
  case loneSurrogate

  /// The kinds that explain the difference; empty if there is none, nil if nothing explains it.
  package static func kinds(of text: [UInt8]) -> Set<Disagreement>? {
    let ours = JSONDocument(text) != nil
    let theirs = JSONValidator.accepts(text)
    if ours == theirs { return [] }
    return ours ? whyTheyRefuse(text) : whyTheyAccept(text)
  }

  private static func whyTheyAccept(_ text: [UInt8]) -> Set<Disagreement>? {
    let start = text.prefix(4)
    if start.starts(with: [0xEF, 0xBB, 0xBF]) || start.starts(with: [0xFE, 0xFF])
      || start.starts(with: [0xFF, 0xFE]) || start.contains(0)
    {
      return [.encoding]
    }
    var tokens = JSONTokens(text)
    var kinds: Set<Disagreement> = []
    if tokens.removeTrailingCommas() { kinds.insert(.trailingComma) }
    // What Foundation refuses by itself too, it must have overlooked.
    if tokens.replaceValues(where: { !JSONValidator.accepts($0) }) { kinds.insert(.hiddenMember) }
    return !kinds.isEmpty && JSONDocument(tokens.text) != nil ? kinds : nil
  }

  private static func whyTheyRefuse(_ text: [UInt8]) -> Set<Disagreement>? {
    var kinds: Set<Disagreement> = []
    var tokens = JSONTokens(text)
    if tokens.replaceNumbers(where: { $0.isOutOfRange }) { kinds.insert(.numberOutOfRange) }
    if tokens.replaceNumbers(where: { $0.isZero && !JSONValidator.accepts($0.text) }) {
      kinds.insert(.zeroWithExponent)
    }
    if tokens.replaceLoneSurrogates() { kinds.insert(.loneSurrogate) }
    return !kinds.isEmpty && JSONValidator.accepts(tokens.text) ? kinds : nil
  }
}
