import Testing

@testable import EventDaemon

@Suite struct ConfigurationKeyTests {
  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("segmnt_size", "segment_size", 1),
    ("kitten", "sitting", 3),
  ])
  func measuresEditDistance(left: String, right: String, distance: Int) {
    #expect(ConfigurationKey.editDistance(left, right) == distance)
    #expect(ConfigurationKey.editDistance(right, left) == distance)
  }

  @Test func findsNearestKeyWithinHalfItsLength() throws {
    let keys = try #require(ConfigurationKeys.table("spool")).keyNames
    #expect(ConfigurationKey.nearest(to: "segment-size", among: keys) == "segment_size")
    #expect(ConfigurationKey.nearest(to: "dir", among: keys) == nil)
    #expect(ConfigurationKey.nearest(to: "maxage", among: keys) == "max_age")
    #expect(ConfigurationKey.nearest(to: "", among: keys) == nil)
    #expect(ConfigurationKey.nearest(to: String(repeating: "x", count: 100_000), among: keys) == nil)
  }

  @Test func declaresOneKeyForEachSecret() {
    for secret in SecretFile.Kind.allCases {
      let keys = ConfigurationKeys.tables.flatMap(\.keys).filter { $0.secret?.kind == secret }
      #expect(keys.count == 1 && keys[0].name == ConfigurationKeys.key(of: secret)?.key.name)
    }
  }
}
