/// The medium of a ``MemoryDisk``: what is on it as the system shows it, and what is durable.
///
/// A sync that fails leaves sectors that read well, look clean and are not durable: only bytes written again
/// become durable with the next sync. What a power cut leaves is in `DiskImage+PowerCut.swift`.
package struct DiskImage: Sendable {
  package enum Entry: Hashable, Sendable {
    case node(Int)
    case link(String)
  }

  /// A change of a directory that no sync has made durable yet.
  package enum Change: Sendable {
    case add(String, Entry)
    case rename(String, to: String)
    case remove(String)

    /// The name whose file has no name any more.
    var nameLost: String {
      switch self {
      case .add: ""
      case .rename(_, let name), .remove(let name): name
      }
    }
  }

  package enum Sector {
    package static let clean: UInt8 = 0
    /// Written since the last sync.
    static let dirty: UInt8 = 1
  }

  package struct Node: Sendable {
    package var isDirectory: Bool
    /// The name it was created with.
    package var name: String
    var mode: UInt32
    var links = 1
    var modifiedAt: Int64 = 0

    /// A file's bytes as they are read now.
    package var bytes: [UInt8] = []
    /// Its bytes as they are on the medium.
    package var durable: [UInt8] = []
    /// One ``Sector`` value for each sector of `bytes`. A sector whose sync failed is clean and differs
    /// from `durable` all the same.
    package var sectors: [UInt8] = []
    /// Written, truncated or marked clean by a failed sync since `bytes` and `durable` were last the same.
    var mayDiffer = false

    package var entries: [String: Entry] = [:]
    package var durableEntries: [String: Entry] = [:]
    package var changes: [Change] = []

    var isSegment: Bool { name.hasPrefix("events-") }
  }

  /// Bytes that become dirty, durable and lost together: a page or a smaller block.
  package let sectorSize: Int
  package var nodes: [Node]
  /// Which directory a path leads to: at first ``spoolRoot`` and ``stateRoot``.
  package private(set) var roots = ["/spool": Self.spoolRoot, "/state": Self.stateRoot]

  package static let spoolRoot = 0
  package static let stateRoot = 1

  package init(sectorSize: Int) {
    self.sectorSize = sectorSize
    nodes = [
      Node(isDirectory: true, name: "/spool", mode: 0o2750),
      Node(isDirectory: true, name: "/state", mode: 0o700),
    ]
  }

  // MARK: Looking at it from outside

  /// The node of a name in a directory.
  package func find(_ name: String, in directory: Int, durable: Bool) -> Int? {
    let entries = durable ? nodes[directory].durableEntries : nodes[directory].entries
    guard case .node(let index)? = entries[name] else { return nil }
    return index
  }

  /// A stream's file: its bytes as they are read now, or as they are on the medium.
  package func file(_ name: String, in root: Int, stream: String, durable: Bool = false) -> [UInt8]? {
    guard let directory = find(stream, in: root, durable: durable),
      let index = find(name, in: directory, durable: durable)
    else { return nil }
    return durable ? nodes[index].durable : nodes[index].bytes
  }

  /// A stream's segments in order of their ordinals.
  package func segments(of stream: String, durable: Bool = false) -> [(ordinal: Int, bytes: [UInt8])] {
    guard let directory = find(stream, in: Self.spoolRoot, durable: durable) else { return [] }
    let entries = durable ? nodes[directory].durableEntries : nodes[directory].entries
    var found: [(ordinal: Int, bytes: [UInt8])] = []
    for (name, entry) in entries {
      guard case .node(let index) = entry, nodes[index].isSegment,
        let ordinal = Int(name.dropFirst("events-".count).prefix(16))
      else { continue }
      found.append((ordinal, durable ? nodes[index].durable : nodes[index].bytes))
    }
    return found.sorted { $0.ordinal < $1.ordinal }
  }

  // MARK: What others do

  /// Someone gives a stream's file or directory another name, in its own directory or in another one of the same root,
  /// replaces what has that name, and syncs both directories.
  package mutating func move(_ old: String, in directory: Int, to new: String, in target: Int? = nil) {
    let target = target ?? directory
    guard let entry = nodes[directory].entries.removeValue(forKey: old) else { return }
    if case .node(let lost)? = nodes[target].entries[new] { nodes[lost].links = 0 }
    nodes[target].entries[new] = entry
    synchronizeDirectory(directory)
    synchronizeDirectory(target)
  }

  /// Someone moves a root away, with an empty directory in its place.
  package mutating func moveRoot(_ path: String, mode: UInt32 = 0o750) {
    nodes.append(Node(isDirectory: true, name: path, mode: mode))
    roots[path] = nodes.count - 1
  }

  // MARK: What calls do

  mutating func write(_ bytes: UnsafeRawBufferPointer, to index: Int, at offset: Int, now: Int64) {
    guard !bytes.isEmpty else { return }
    let end = offset + bytes.count
    resize(index, to: max(end, nodes[index].bytes.count))
    nodes[index].bytes.withUnsafeMutableBytes { file in
      if let base = file.baseAddress, let source = bytes.baseAddress {
        (base + offset).copyMemory(from: source, byteCount: bytes.count)
      }
    }
    for sector in (offset / sectorSize)...((end - 1) / sectorSize) {
      nodes[index].sectors[sector] = Sector.dirty
    }
    nodes[index].mayDiffer = true
    nodes[index].modifiedAt = now
  }

  mutating func truncate(_ index: Int, to size: Int, now: Int64) {
    resize(index, to: size)
    nodes[index].mayDiffer = true
    nodes[index].modifiedAt = now
  }

  private mutating func resize(_ index: Int, to size: Int) {
    let count = nodes[index].bytes.count
    if size < count {
      nodes[index].bytes.removeLast(count - size)
    } else if size > count {
      nodes[index].bytes += [UInt8](repeating: 0, count: size - count)
    }
    let sectors = (size + sectorSize - 1) / sectorSize
    let known = nodes[index].sectors.count
    if sectors < known {
      nodes[index].sectors.removeLast(known - sectors)
    } else if sectors > known {
      nodes[index].sectors += [UInt8](repeating: Sector.clean, count: sectors - known)
    }
  }

  /// A sync that succeeds: the dirty sectors and the size reach the medium. What an earlier sync has lost
  /// does not: those sectors look clean.
  mutating func synchronize(_ index: Int) {
    guard nodes[index].mayDiffer else { return }
    let size = nodes[index].bytes.count
    let known = nodes[index].durable.count
    if known > size {
      nodes[index].durable.removeLast(known - size)
    } else if known < size {
      nodes[index].durable += [UInt8](repeating: 0, count: size - known)
    }
    for sector in nodes[index].sectors.indices where nodes[index].sectors[sector] == Sector.dirty {
      persist(sector, of: index)
    }
  }

  /// A sync that fails: each dirty sector has reached the medium or not, and none is written again.
  /// - Parameter choices: which; nil for none.
  mutating func failSync(_ index: Int, _ choices: inout Choices?) {
    for sector in nodes[index].sectors.indices where nodes[index].sectors[sector] == Sector.dirty {
      if choices?.pick(3) == 0, (sector + 1) * sectorSize <= nodes[index].durable.count {
        persist(sector, of: index)
      } else {
        nodes[index].sectors[sector] = Sector.clean
      }
    }
  }

  private mutating func persist(_ sector: Int, of index: Int) {
    let range = sector * sectorSize..<min((sector + 1) * sectorSize, nodes[index].bytes.count)
    let bytes = nodes[index].bytes
    nodes[index].durable.withUnsafeMutableBytes { file in
      bytes.withUnsafeBytes { source in
        if let base = file.baseAddress, let start = source.baseAddress {
          (base + range.lowerBound).copyMemory(from: start + range.lowerBound, byteCount: range.count)
        }
      }
    }
    nodes[index].sectors[sector] = Sector.clean
  }

  mutating func change(_ directory: Int, _ change: Change) {
    if case .node(let lost)? = nodes[directory].entries[change.nameLost] { nodes[lost].links = 0 }
    Self.apply(change, to: &nodes[directory].entries)
    nodes[directory].changes.append(change)
  }

  mutating func synchronizeDirectory(_ index: Int) {
    nodes[index].durableEntries = nodes[index].entries
    nodes[index].changes = []
  }

  static func apply(_ change: Change, to entries: inout [String: Entry]) {
    switch change {
    case .add(let name, let entry): entries[name] = entry
    case .remove(let name): entries[name] = nil
    case .rename(let old, let new):
      if let entry = entries.removeValue(forKey: old) { entries[new] = entry }
    }
  }
}
