import CDeflate
import NIOHTTP1

/// Decompresses the body of an answer.
///
/// In one call, into memory of the size that gzip's last bytes announce: a fifth of the time that zlib takes from piece
/// to piece.
enum Decompression {
  enum Failure: Error {
    /// Neither gzip nor zlib, cut off, or other bytes than its checksum's.
    case damaged
    /// RFC 1952, section 2.2: members simply follow each other. No answer is known that does this.
    case trailingBytes
    case tooLarge
    case noMemory
  }

  /// What a gzip member (RFC 1952) or a zlib stream (RFC 1950) holds, told apart by their first bytes.
  static func contents(of bytes: [UInt8], maximumBytes: Int) throws(Failure) -> [UInt8] {
    guard let decompressor = libdeflate_alloc_decompressor() else { throw .noMemory }
    defer { libdeflate_free_decompressor(decompressor) }
    let isGzip = bytes.starts(with: [0x1F, 0x8B])
    let decompress = isGzip ? libdeflate_gzip_decompress_ex : libdeflate_zlib_decompress_ex
    let most = min(maximumBytes, (bytes.count + maximumOverrun) * maximumRatio)
    // Where those bytes lie, a second try at the most there can be shows what is wrong. Unwritten memory is free.
    let announced = isGzip ? bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } : most
    for room in announced < most ? [announced, most] : [most] {
      var (read, written, result) = (0, 0, LIBDEFLATE_BAD_DATA)
      let contents = [UInt8](unsafeUninitializedCapacity: max(room, 1)) { buffer, count in
        result = decompress(
          decompressor, bytes, bytes.count, buffer.baseAddress, room, &read, &written)
        count = written
      }
      switch result {
      case LIBDEFLATE_SUCCESS where read == bytes.count: return contents
      case LIBDEFLATE_SUCCESS: throw .trailingBytes
      case LIBDEFLATE_INSUFFICIENT_SPACE: continue
      default: throw .damaged
      }
    }
    throw most < maximumBytes ? .damaged : .tooLarge
  }

  /// 258 bytes for two bits. Source: RFC 1951, section 3.2.5.
  private static let maximumRatio = 1032
  /// Bytes behind the end that the library takes for zeros before it knows that they aren't there.
  private static let maximumOverrun = 8
}

extension HTTPHeaders {
  /// The body is compressed in a way that ``Decompression`` undoes; others stay as they are. The old name is to be
  /// known too: RFC 9110, section 8.4.1.3.
  var announceCompression: Bool {
    let names = self[canonicalForm: "content-encoding"].map { $0.filter { !$0.isWhitespace }.lowercased() }
    let name = names.first { !["", "identity"].contains($0) }
    return name.map { ["gzip", "x-gzip", "deflate"].contains($0) } ?? false
  }
}
