/// A value that never shows itself: it prints, dumps and mirrors as `<redacted>`.
public struct Secret<Value: Sendable>: Sendable {
  private let value: Value

  public init(_ value: Value) {
    self.value = value
  }

  /// The value itself. Each use is a place to look at: it must not reach a log, an error or a file.
  public func reveal() -> Value { value }
}

extension Secret: Equatable where Value: Equatable {}
extension Secret: Hashable where Value: Hashable {}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
