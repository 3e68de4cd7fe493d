import BoxEvents

/// Unguessable text, from the system's random number generator.
enum RandomText {
  static func hexadecimal(bytes count: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return Hexadecimal.text(of: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }
}
