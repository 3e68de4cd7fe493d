package import BoxEvents

/// Changes inputs the way broken programs do: bytes flipped, pieces lost, doubled, moved or taken from another
/// input, and words of the format in the wrong places.
package struct Mutator {
  package var random: SplitMix64
  private let corpus: [[UInt8]]

  private static let words: [[UInt8]] =
    [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "null", "true", "false", "NaN",
      "0", "-1",
      "1e999", "1e-999", "01", "1.", "9007199254740993", "18446744073709551616", "\"entries\":",
      "\"event_id\":",
      "\"created_at\":", "\"next_stream_position\":", "\"chunk_size\":", "[[[[", "]]]]", "{\"a\":", "\n",
      "\r\n", "\t",
      " ", "\0", "\u{1B}", "\u{2028}", "\u{202E}", "\u{FEFF}", "é", "=== ", "=== record 9\n", "FEED",
      "\nposition: now",
      "\nordinal: 3", "\noffset: 17", "\nsegment: 2", "{\"event_id\":\"1\"}\n",
      "=== events-0000000000000000.ndjson\n",
      "=== segments.ndjson\n", "partial",
    ].map { Array($0.utf8) } + [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80],
    ]

  /// - Parameter corpus: what inputs are made of.
  package init(corpus: [[UInt8]], seed: UInt64) {
    random = SplitMix64(seed: seed)
    self.corpus = corpus
  }

  /// A new input, up to 64 KiB.
  package mutating func next() -> [UInt8] {
    var input = corpus.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...5, using: &random) { change(&input) }
    return Array(input.prefix(1 << 16))
  }

  private mutating func change(_ input: inout [UInt8]) {
    let place = Int.random(in: 0...input.count, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: if place < input.count { input[place] = UInt8.random(in: 0...255, using: &random) }
    case 1: if place < input.count { input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
    case 2: input.removeSubrange(piece(of: input))
    case 3: input.insert(contentsOf: input[piece(of: input)], at: place)
    case 4: input.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: place)
    case 5: input.removeSubrange(place...)
    case 6:
      let other = corpus.randomElement(using: &random) ?? []
      input.insert(contentsOf: other[piece(of: other)], at: place)
    case 7: swapPieces(&input)
    default:
      let range = piece(of: input)
      input.replaceSubrange(range, with: Self.words.randomElement(using: &random) ?? [])
    }
  }

  private mutating func piece(of input: [UInt8]) -> Range<Int> {
    let start = Int.random(in: 0...input.count, using: &random)
    // Mostly a few bytes.
    let longest = Bool.random(using: &random) ? 8 : 400
    return start..<(start + Int.random(in: 0...min(longest, input.count - start), using: &random))
  }

  private mutating func swapPieces(_ input: inout [UInt8]) {
    let taken = piece(of: input)
    let bytes = input[taken]
    input.removeSubrange(taken)
    input.insert(contentsOf: bytes, at: Int.random(in: 0...input.count, using: &random))
  }
}
