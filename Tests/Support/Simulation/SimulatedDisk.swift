import Glibc
import Spool

/// A disk that loses what was not synced, and whose calls fail when a plan says so.
///
/// Not guarded by a lock: a simulation does one thing at a time, each after the one before it has been
/// awaited.
final class SimulatedDisk: Disk, @unchecked Sendable {
  var image: DiskImage
  var plan: FaultPlan
  var choices: Choices
  /// Which of the store's calls is under way.
  var phase = Stage.Phase.recovery
  /// Local seconds since 1970.
  var wallSeconds: Int64 = 0
  /// How the process or the machine ended, if it did. No call does anything any more.
  private(set) var death: Fault?
  /// Calls so far.
  private(set) var calls = 0
  /// The stages and faults that met, as ``Coverage`` counts them.
  private(set) var struck: [(stage: Stage, fault: Fault)] = []
  /// Every call of the run that could be struck, for an exhaustive simulation.
  private(set) var injectable: [Stage] = []
  let trace: Trace
  private var handles: [Int32: Int] = [:]
  private var nextHandle: Int32 = 1

  init(sectorSize: Int, plan: FaultPlan, choices: Choices, trace: Trace) {
    image = DiskImage(sectorSize: sectorSize)
    self.plan = plan
    self.choices = choices
    self.trace = trace
  }

  /// The process ends from outside.
  func end(_ fault: Fault) {
    if death == nil { death = fault }
  }

  /// What the machine's end leaves, and a new process.
  func restart(staleness: Bool) {
    if death?.isPowerCut == true { image.losePower(&choices, staleness: staleness) }
    handles = [:]
    death = nil
    plan.freeSpace()
  }

  // MARK: Every call passes here

  private enum Verdict {
    case go
    case die(Fault, after: Bool)
    case fail(Int32)
    case cutShort
  }

  private func verdict(_ operation: Stage.Operation, _ place: Stage.Place, _ what: @autoclosure () -> String)
    -> Verdict
  {
    calls += 1
    let stage = Stage(phase: phase, operation: operation, place: place)
    if death != nil { return .fail(EIO) }
    if operation != .look { injectable.append(stage) }
    guard let fault = plan.inject(stage) else {
      if trace.isOn { trace.add("\(calls) \(stage): \(what())") }
      return .go
    }
    if trace.isOn { trace.add("\(calls) \(stage): \(what()) → \(fault)") }
    struck.append((stage, fault))
    switch fault {
    case .killBefore, .cutBefore:
      death = fault
      return .fail(EIO)
    case .killHalfway, .cutHalfway: return .die(fault, after: false)
    case .killAfter, .cutAfter: return .die(fault, after: true)
    case .short: return .cutShort
    case .io, .readOnly, .interrupted, .noSpace, .quota: return .fail(fault.errno ?? EIO)
    }
  }

  /// A call that does all or nothing.
  private func call(
    _ operation: Stage.Operation, _ place: Stage.Place, as name: DiskError.Operation,
    _ what: @autoclosure () -> String, _ body: () throws(DiskError) -> Void
  ) throws(DiskError) {
    switch verdict(operation, place, what()) {
    case .fail(let number): throw DiskError(name, errno: number)
    case .die(let fault, _):
      try body()
      death = fault
      throw DiskError(name, errno: EIO)
    case .go, .cutShort: try body()
    }
  }

  // MARK: Opening

  var userID: UInt32 { 1000 }

  func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    try call(.open, .root, as: .open, path) { () throws(DiskError) in }
    return open(path == "/spool" ? DiskImage.spoolRoot : DiskImage.stateRoot)
  }

  func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try call(.open, .directory, as: .open, name) { () throws(DiskError) in }
    let index = try find(name, in: directory)
    guard image.nodes[index].isDirectory else { throw DiskError(.open, errno: ENOTDIR) }
    return open(index)
  }

  func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try call(.makeDirectory, .directory, as: .makeDirectory, name) { () throws(DiskError) in
      try add(name, in: directory, as: .makeDirectory, isDirectory: true, mode: mode)
    }
  }

  func openFile(_ name: String, in directory: DiskHandle, writing: Bool) throws(DiskError) -> DiskHandle {
    try call(.open, Stage.Place(name), as: .open, name) { () throws(DiskError) in }
    return open(try find(name, in: directory))
  }

  func createFile(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) -> DiskHandle {
    try call(.create, Stage.Place(name), as: .create, name) { () throws(DiskError) in
      try add(name, in: directory, as: .create, isDirectory: false, mode: mode)
    }
    return open(try find(name, in: directory))
  }

  func close(_ handle: DiskHandle) {
    handles[handle.rawValue] = nil
  }

  private func open(_ index: Int) -> DiskHandle {
    nextHandle += 1
    handles[nextHandle] = index
    return DiskHandle(rawValue: nextHandle)
  }

  private func node(_ handle: DiskHandle, _ operation: DiskError.Operation) throws(DiskError) -> Int {
    guard let index = handles[handle.rawValue] else { throw DiskError(operation, errno: EBADF) }
    return index
  }

  private func find(_ name: String, in directory: DiskHandle) throws(DiskError) -> Int {
    switch image.nodes[try node(directory, .open)].entries[name] {
    case .node(let index): return index
    case .link: throw DiskError(.open, errno: ELOOP)
    case nil: throw DiskError(.open, errno: ENOENT)
    }
  }

  private func add(
    _ name: String, in directory: DiskHandle, as operation: DiskError.Operation, isDirectory: Bool,
    mode: UInt32
  ) throws(DiskError) {
    let parent = try node(directory, operation)
    guard image.nodes[parent].entries[name] == nil else { throw DiskError(operation, errno: EEXIST) }
    let place = isDirectory ? Stage.Place.directory : Stage.Place(name)
    image.nodes.append(
      DiskImage.Node(
        isDirectory: isDirectory, place: place, name: name, mode: mode, modifiedAt: wallSeconds))
    image.change(parent, .add(name, .node(image.nodes.count - 1)))
  }

  // MARK: Files

  func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    let index = try node(handle, .status)
    try call(.look, image.nodes[index].place, as: .status, "") { () throws(DiskError) in }
    let found = image.nodes[index]
    return FileStatus(
      kind: found.isDirectory ? .directory : .file, size: found.bytes.count, mode: found.mode,
      owner: userID, links: found.links, modifiedAt: found.modifiedAt)
  }

  func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) {
    image.nodes[try node(handle, .setMode)].mode = mode
  }

  func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let index = try node(handle, .read)
    try call(.read, image.nodes[index].place, as: .read, "\(buffer.count) bytes at \(offset)") {
      () throws(DiskError) in
    }
    let count = max(0, min(buffer.count, image.nodes[index].bytes.count - offset))
    image.nodes[index].bytes.withUnsafeBytes { bytes in
      if count > 0, let base = buffer.baseAddress, let source = bytes.baseAddress {
        base.copyMemory(from: source + offset, byteCount: count)
      }
    }
    return count
  }

  func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let index = try node(handle, .write)
    let place = image.nodes[index].place
    func put(_ count: Int) {
      image.write(
        UnsafeRawBufferPointer(rebasing: bytes[..<count]), to: index, at: offset, now: wallSeconds)
    }
    switch verdict(.write, place, "\(bytes.count) bytes of \(image.nodes[index].name) at \(offset)") {
    case .go:
      put(bytes.count)
      return bytes.count
    case .cutShort:
      let count = max(1, choices.split(bytes.count))
      put(count)
      return count
    case .fail(let number):
      // A disk fills up in the middle of a write; a medium may fail after a part of it.
      if death == nil, number != EROFS { put(choices.split(bytes.count)) }
      throw DiskError(.write, errno: number)
    case .die(let fault, let after):
      put(after ? bytes.count : choices.split(bytes.count))
      death = fault
      throw DiskError(.write, errno: EIO)
    }
  }

  func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    let index = try node(handle, .truncate)
    let found = image.nodes[index]
    try call(.truncate, found.place, as: .truncate, "\(found.name) from \(found.bytes.count) to \(size)") {
      () throws(DiskError) in image.truncate(index, to: size, now: wallSeconds)
    }
  }

  func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    let index = try node(handle, .synchronize)
    switch verdict(.sync, image.nodes[index].place, image.nodes[index].name) {
    case .go, .cutShort:
      image.synchronize(index)
    case .fail(let number):
      if death == nil { image.failSync(index, &choices) }
      throw DiskError(.synchronize, errno: number)
    case .die(let fault, _):
      image.synchronize(index)
      death = fault
      throw DiskError(.synchronize, errno: EIO)
    }
  }

  /// A failed sync of a directory leaves its changes to be made durable by a later one: they are the
  /// journal's business, which writes them again or makes the file system read-only.
  func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    let index = try node(handle, .synchronize)
    let found = image.nodes[index]
    try call(.sync, found.place, as: .synchronize, found.name) { () throws(DiskError) in
      image.synchronizeDirectory(index)
    }
  }

  // MARK: Names

  func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    let index = try node(directory, .list)
    try call(.list, image.nodes[index].place, as: .list, image.nodes[index].name) { () throws(DiskError) in }
    return image.nodes[index].entries.keys.sorted()
  }

  func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try call(.link, Stage.Place(name), as: .link, "\(name) to \(target)") { () throws(DiskError) in
      let parent = try node(directory, .link)
      guard image.nodes[parent].entries[name] == nil else { throw DiskError(.link, errno: EEXIST) }
      image.change(parent, .add(name, .link(target)))
    }
  }

  func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try call(.look, Stage.Place(name), as: .read, name) { () throws(DiskError) in }
    guard case .link(let target)? = image.nodes[try node(directory, .read)].entries[name] else {
      throw DiskError(.read, errno: EINVAL)
    }
    return target
  }

  func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try call(.rename, Stage.Place(new), as: .rename, "\(old) to \(new)") { () throws(DiskError) in
      let parent = try node(directory, .rename)
      guard image.nodes[parent].entries[old] != nil else { throw DiskError(.rename, errno: ENOENT) }
      image.change(parent, .rename(old, to: new))
    }
  }

  func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try call(.remove, Stage.Place(name), as: .remove, name) { () throws(DiskError) in
      let parent = try node(directory, .remove)
      guard let entry = image.nodes[parent].entries[name] else { throw DiskError(.remove, errno: ENOENT) }
      if case .node(let index) = entry { image.nodes[index].links = 0 }
      image.change(parent, .remove(name))
    }
  }

  func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 {
    try call(.look, .root, as: .space, "") { () throws(DiskError) in }
    return plan.hasFreeSpace() ? 1 << 40 : 1000
  }

  func lock(_ handle: DiskHandle) throws(DiskError) -> Bool { true }
}
