extension String {
  /// Without white space at either end: files with secrets usually end with a newline.
  var trimmed: String {
    let body = drop { $0.isWhitespace }
    guard let end = body.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(body[...end])
  }
}
