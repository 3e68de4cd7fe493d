import FoundationEssentials

/// The inputs that every test run starts from: `Tests/Data/Corpus/TARGET/`, a file each.
package enum Corpus {
  package struct Input: Sendable {
    package var name: String
    package var bytes: [UInt8]
  }

  /// The folder of a target's inputs, in the checkout that this was built from.
  package static func folder(of target: FuzzTarget) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return (root + ["Data", "Corpus", target.rawValue[...]]).joined(separator: "/")
  }

  /// In order of name.
  package static func inputs(of target: FuzzTarget) throws -> [Input] {
    let folder = folder(of: target)
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
      Input(name: name, bytes: Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
    }
  }
}
