import Testing

@testable import Systemd

/// The ids and `packaging/systemd/box-eventd.catalog` agree.
struct MessageIDTests {
  private let catalog: CatalogFile
  private let manual: String

  init() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    catalog = try CatalogFile(path: "/\(root)/packaging/systemd/box-eventd.catalog")
    manual = try CatalogFile.read("/\(root)/packaging/man/box-eventd.8")
  }

  /// In the order of the cases, each with a sentence.
  @Test func theManualListsEveryID() {
    let items = manual.matches(of: /\.It Ql ([0-9a-f]{32})\n[A-Z].*\./).map { String($0.1) }
    #expect(items == MessageID.allCases.map(\.rawValue))
  }

  @Test func idsAreRandomAndHexadecimal() {
    for id in MessageID.allCases {
      #expect(id.rawValue.wholeMatch(of: /[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}/) != nil, "\(id)")
    }
  }

  @Test func everyIDHasOneEntryAndEveryEntryAnID() {
    #expect(catalog.entries.map(\.id).sorted() == MessageID.allCases.map(\.rawValue).sorted())
  }

  @Test func everyEntryHasItsHeaders() throws {
    for entry in catalog.entries {
      let subject = try #require(entry.header("Subject"), "\(entry.id)")
      #expect(!subject.isEmpty && !subject.hasSuffix("."), "\(entry.id)")
      #expect(entry.header("Defined-By") == "box-eventd", "\(subject)")
      #expect(entry.header("Support") == "man:box-eventd(8)", "\(subject)")
      #expect(entry.header("Documentation")?.hasPrefix("man:box-eventd") == true, "\(subject)")
      #expect(entry.headers.count == 4, "\(subject)")
    }
  }

  @Test func everyEntryExplainsItselfInLinesOfATerminal() {
    for entry in catalog.entries {
      #expect(entry.text.joined().utf8.count > 100, "\(entry.id)")
      #expect(entry.text.allSatisfy { $0.count < 80 }, "\(entry.id)")
    }
  }

  @Test func entriesReferToWhatTheirMessagesCarry() throws {
    for entry in catalog.entries {
      let id = try #require(MessageID(rawValue: entry.id))
      let carried = Set(id.requiredMetadata.map(JournalEntry.name))
      // journald itself adds the unit.
      #expect(entry.references.subtracting(["_SYSTEMD_UNIT"]) == carried, "\(id)")
      // One @ left over is a reference systemd would not see.
      let text = (entry.headers.map(\.value) + entry.text).joined(separator: "\n")
      #expect(!text.replacing(/@[A-Z_]+@/, with: "").contains("@"), "\(id)")
    }
  }
}
