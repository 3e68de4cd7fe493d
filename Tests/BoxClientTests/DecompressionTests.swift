import BoxEvents
import CDeflate
import FoundationEssentials
import NIOHTTP1
import Testing

@testable import BoxClient

@Suite struct DecompressionTests {
  enum Form: CaseIterable {
    case gzip, zlib
    /// Without a header and a checksum, as some servers send `deflate`.
    case raw

    func compressed(_ bytes: [UInt8], level: CInt = 6) throws -> [UInt8] {
      let compressor = try #require(libdeflate_alloc_compressor(level))
      defer { libdeflate_free_compressor(compressor) }
      let compress =
        switch self {
        case .gzip: libdeflate_gzip_compress
        case .zlib: libdeflate_zlib_compress
        case .raw: libdeflate_deflate_compress
        }
      let room = bytes.count + bytes.count / 8 + 64
      return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        count = compress(compressor, bytes, bytes.count, buffer.baseAddress, room)
      }
    }
  }

  private static let page = Array(#"{"entries":[],"next_stream_position":1152922976252290886}"#.utf8)

  private func contents(_ bytes: [UInt8], _ maximum: Int = 1 << 20) -> Result<[UInt8], Decompression.Failure>
  {
    Result { () throws(Decompression.Failure) in
      try Decompression.contents(of: bytes, maximumBytes: maximum)
    }
  }

  /// Text, or what can't be compressed.
  private func sample(_ count: Int, isText: Bool) -> [UInt8] {
    var random = SplitMix64(seed: UInt64(count))
    return (0..<count).map {
      isText ? Self.page[$0 % Self.page.count] : UInt8(truncatingIfNeeded: random.next())
    }
  }

  @Test(arguments: [Form.gzip, .zlib], [0, 1, 57, 65_536, 200_001])
  func readsWhatIsCompressed(_ form: Form, _ count: Int) throws {
    for (isText, level) in [(true, 0), (true, 1), (true, 6), (false, 0), (false, 6)] {
      let sample = sample(count, isText: isText)
      let bytes = try form.compressed(sample, level: CInt(level))
      #expect(contents(bytes) == .success(sample))
      #expect(contents(bytes, count) == .success(sample))
      if count > 0 { #expect(contents(bytes, count - 1) == .failure(.tooLarge)) }
    }
  }

  @Test func readsWhatZlibHasCompressed() throws {
    let bytes = Array(try #require(Data(base64Encoded: BoxTransportTests.smallGzip)))
    #expect(contents(bytes) == .success(Self.page))
  }

  /// RFC 1952, section 2.3: a field of its own, a name, a comment, and the checksum of all that.
  @Test func skipsWhatAGzipHeaderMayHold() throws {
    var bytes = try Form.gzip.compressed(Self.page)
    bytes[3] = 0b11110
    bytes.replaceSubrange(10..<10, with: [2, 0, 0xAA, 0xBB] + Array("name\0comment\0".utf8))
    let end = 10 + 4 + 13
    let checksum = libdeflate_crc32(0, bytes, end)
    bytes.replaceSubrange(end..<end, with: [UInt8(checksum & 0xFF), UInt8(checksum >> 8 & 0xFF)])
    #expect(contents(bytes) == .success(Self.page))
  }

  @Test(arguments: [Form.gzip, .zlib])
  func refusesWhatIsCutOff(_ form: Form) throws {
    let bytes = try form.compressed(Self.page)
    for count in 0..<bytes.count { #expect(contents(Array(bytes.prefix(count))) == .failure(.damaged)) }
  }

  /// Only some bits mean nothing: those of a header's time, and those that fill the last byte.
  @Test(arguments: [Form.gzip, .zlib])
  func noDamageGoesUnnoticed(_ form: Form) throws {
    let bytes = try form.compressed(Self.page)
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let contents = contents(damaged)
      #expect([.failure(.damaged), .success(Self.page)].contains(contents), "bit \(bit)")
    }
  }

  @Test(arguments: [
    [], [0x1F], [0x1F, 0x8B], [0x78], Array("this is not gzip, and not zlib".utf8), page,
    [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xFF, count: 64),
    // zlib with a dictionary of its own: RFC 1950, section 2.2.
    [0x78, 0xBB, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1],
  ])
  func refusesWhatIsNeither(_ bytes: [UInt8]) { #expect(contents(bytes) == .failure(.damaged)) }

  @Test func refusesDeflateWithoutAHeader() throws {
    #expect(contents(try Form.raw.compressed(Self.page)) == .failure(.damaged))
  }

  @Test func namesWhatFollows() throws {
    let gzip = try Form.gzip.compressed(Self.page)
    for more in [gzip, [0], [0, 0, 0, 0], [57, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], Self.page] {
      #expect(contents(gzip + more) == .failure(.trailingBytes))
    }
    let zlib = try Form.zlib.compressed(Self.page)
    #expect(contents(zlib + [0]) == .failure(.trailingBytes))
  }

  /// The last four bytes of gzip are the number of bytes it holds.
  @Test func believesNoAnnouncedSize() throws {
    let gzip = try Form.gzip.compressed([UInt8](repeating: 0, count: 1 << 20))
    for announced: [UInt8] in [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0x10, 0], [0xFF, 0xFF, 0xFF, 0xFF]] {
      let liar = gzip.dropLast(4) + announced
      #expect(contents(Array(liar)) == .failure(.damaged))
      #expect(contents(Array(liar), 1 << 19) == .failure(.tooLarge))
    }
  }

  @Test(arguments: [Form.gzip, .zlib])
  func boundsABomb(_ form: Form) throws {
    let bytes = try form.compressed([UInt8](repeating: 0, count: 4 << 20))
    #expect(bytes.count < 5000)
    #expect(contents(bytes, 64 << 10) == .failure(.tooLarge))
    #expect(contents(bytes, 4 << 20).map(\.count) == .success(4 << 20))
    #expect(contents(bytes, 0) == .failure(.tooLarge))
  }

  /// 20,000 inputs, reproduced by the seed: whatever they are, no more comes out than is allowed.
  @Test func acceptsAnyBytes() throws {
    var random = SplitMix64(seed: 19)
    let seeds = try Form.allCases.flatMap { form in
      try [0, 1, 6].map { try form.compressed(Self.page + Self.page, level: $0) }
    }
    for _ in 0..<20_000 {
      var bytes = seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let start = Int.random(in: 0...bytes.count, using: &random)
        let end = Int.random(in: start...min(bytes.count, start + 6), using: &random)
        let count = Int.random(in: 0...6, using: &random)
        bytes.replaceSubrange(
          start..<end, with: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
      }
      let maximum = Int.random(in: 0...200, using: &random)
      if case .success(let contents) = contents(bytes, maximum) { #expect(contents.count <= maximum) }
    }
  }

  @Test(arguments: [
    ([], false), (["identity"], false), (["gzip"], true), (["x-gzip"], true), ([" GZip "], true),
    (["deflate"], true), (["identity, gzip"], true), (["", "gzip"], true), (["br"], false),
    (["br, gzip"], false), (["gzip, br"], true), (["gzip2"], false), (["g zip"], true),
  ])
  func knowsItsNames(_ values: [String], _ isKnown: Bool) {
    let headers = HTTPHeaders(values.map { ("Content-Encoding", $0) })
    #expect(headers.announceCompression == isKnown)
  }
}
