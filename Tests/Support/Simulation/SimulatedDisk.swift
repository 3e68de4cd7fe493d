import Glibc
import Spool
import TestDisks

/// A ``MemoryDisk`` whose calls fail, or are the process's or the machine's last, when a plan asks for it.
///
/// Not guarded by a lock: a simulation does one thing at a time, each after the one before it has been
/// awaited.
final class SimulatedDisk: ForwardingDisk, @unchecked Sendable {
  private let memory: MemoryDisk
  var plan: FaultPlan
  var choices: Choices?
  /// Which of the store's calls is running.
  var phase = Stage.Phase.recovery
  /// How the process or the machine ended, if it did. No call does anything any more.
  private(set) var death: Fault?
  /// Calls so far.
  private(set) var calls = 0
  /// The stages and faults that met, as ``Coverage`` counts them.
  private(set) var struck: [(stage: Stage, fault: Fault)] = []
  /// Every call of the run that a fault could be injected into, for an exhaustive simulation.
  private(set) var injectable: [Stage] = []
  let trace: Trace

  init(sectorSize: Int, plan: FaultPlan, choices: Choices, trace: Trace) {
    memory = MemoryDisk(sectorSize: sectorSize)
    self.plan = plan
    self.choices = choices
    self.trace = trace
  }

  var base: any Disk { memory }

  var image: DiskImage {
    get { memory.image }
    _modify { yield &memory.image }
  }

  /// Local seconds since 1970.
  var wallSeconds: Int64 {
    get { memory.wallSeconds }
    set { memory.wallSeconds = newValue }
  }

  /// The process ends from outside.
  func end(_ fault: Fault) {
    if death == nil { death = fault }
  }

  /// What the machine's end leaves, and a new process.
  func restart(staleness: Bool) {
    memory.kill()
    if death?.isPowerCut == true, var choices {
      memory.losePower(&choices, staleness: staleness)
      self.choices = choices
    }
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

  private func verdict(
    _ operation: Stage.Operation, _ place: Stage.Place, _ what: @autoclosure () -> String
  ) -> Verdict {
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
  @discardableResult
  private func call<Result>(
    _ operation: Stage.Operation, _ place: Stage.Place, as name: DiskError.Operation,
    _ what: @autoclosure () -> String, _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    switch verdict(operation, place, what()) {
    case .fail(let number): throw DiskError(name, errno: number)
    case .die(let fault, _):
      _ = try body()
      death = fault
      throw DiskError(name, errno: EIO)
    case .go, .cutShort: return try body()
    }
  }

  /// The same, about an open file or directory.
  private func call<Result>(
    _ operation: Stage.Operation, on handle: DiskHandle, as name: DiskError.Operation,
    _ what: @autoclosure () -> String = "", _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    let (place, file) = try target(handle, name)
    return try call(operation, place, as: name, "\(file) \(what())", body)
  }

  private func target(
    _ handle: DiskHandle, _ operation: DiskError.Operation
  ) throws(DiskError) -> (Stage.Place, String) {
    guard let node = memory.node(handle) else { throw DiskError(operation, errno: EBADF) }
    if node.name.hasPrefix("/") { return (.root, node.name) }
    return (node.isDirectory ? .directory : Stage.Place(node.name), node.name)
  }

  private func split(_ count: Int) -> Int { choices?.split(count) ?? 0 }

  // MARK: Opening

  func openRoot(_ path: String) throws(DiskError) -> DiskHandle {
    try call(.open, .root, as: .open, path) { () throws(DiskError) in try memory.openRoot(path) }
  }

  func status(ofRoot path: String) throws(DiskError) -> FileStatus {
    try call(.look, .root, as: .status, path) { () throws(DiskError) in try memory.status(ofRoot: path) }
  }

  func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    // Only a recovery opens the stream's directories.
    if phase != .recovery { phase = .reopening }
    return try call(.open, .directory, as: .open, name) { () throws(DiskError) in
      try memory.openDirectory(name, in: directory)
    }
  }

  func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try call(.makeDirectory, .directory, as: .makeDirectory, name) { () throws(DiskError) in
      try memory.makeDirectory(name, in: directory, mode: mode)
    }
  }

  func openFile(_ name: String, in directory: DiskHandle, writing: Bool) throws(DiskError) -> DiskHandle {
    try call(.open, Stage.Place(name), as: .open, name) { () throws(DiskError) in
      try memory.openFile(name, in: directory, writing: writing)
    }
  }

  func createFile(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) -> DiskHandle {
    try call(.create, Stage.Place(name), as: .create, name) { () throws(DiskError) in
      try memory.createFile(name, in: directory, mode: mode)
    }
  }

  // MARK: Files

  func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus {
    try call(.look, on: handle, as: .status) { () throws(DiskError) in try memory.status(handle) }
  }

  func status(of name: String, in directory: DiskHandle) throws(DiskError) -> FileStatus {
    try call(.look, Stage.Place(name), as: .status, name) { () throws(DiskError) in
      try memory.status(of: name, in: directory)
    }
  }

  func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try call(.read, on: handle, as: .read, "\(buffer.count) bytes at \(offset)") {
      () throws(DiskError) in try memory.read(handle, into: buffer, at: offset)
    }
  }

  func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    let (place, name) = try target(handle, .write)
    func put(_ count: Int) throws(DiskError) -> Int {
      try memory.write(handle, UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
    }
    switch verdict(.write, place, "\(bytes.count) bytes of \(name) at \(offset)") {
    case .go: return try put(bytes.count)
    case .cutShort: return try put(max(1, split(bytes.count)))
    case .fail(let number):
      // A disk fills up in the middle of a write; a medium may fail after a part of it.
      if death == nil, number != EROFS { _ = try put(split(bytes.count)) }
      throw DiskError(.write, errno: number)
    case .die(let fault, let after):
      _ = try put(after ? bytes.count : split(bytes.count))
      death = fault
      throw DiskError(.write, errno: EIO)
    }
  }

  func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) {
    try call(.truncate, on: handle, as: .truncate, "to \(size)") { () throws(DiskError) in
      try memory.truncate(handle, to: size)
    }
  }

  func synchronizeData(_ handle: DiskHandle) throws(DiskError) {
    let (place, name) = try target(handle, .synchronize)
    switch verdict(.sync, place, name) {
    case .go, .cutShort:
      try memory.synchronizeData(handle)
    case .fail(let number):
      if death == nil { memory.failSync(handle, &choices) }
      throw DiskError(.synchronize, errno: number)
    case .die(let fault, _):
      try memory.synchronizeData(handle)
      death = fault
      throw DiskError(.synchronize, errno: EIO)
    }
  }

  /// A failed sync of a directory leaves its changes to be made durable by a later one: they are the
  /// journal's business, which writes them again or makes the file system read-only.
  func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) {
    try call(.sync, on: handle, as: .synchronize) { () throws(DiskError) in
      try memory.synchronizeDirectory(handle)
    }
  }

  // MARK: Names

  func names(in directory: DiskHandle) throws(DiskError) -> [String] {
    try call(.list, on: directory, as: .list) { () throws(DiskError) in try memory.names(in: directory) }
  }

  func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try call(.link, Stage.Place(name), as: .link, "\(name) to \(target)") { () throws(DiskError) in
      try memory.makeLink(name, to: target, in: directory)
    }
  }

  func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try call(.look, Stage.Place(name), as: .read, name) { () throws(DiskError) in
      try memory.readLink(name, in: directory)
    }
  }

  func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try call(.rename, Stage.Place(new), as: .rename, "\(old) to \(new)") { () throws(DiskError) in
      try memory.rename(old, to: new, in: directory)
    }
  }

  func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try call(.remove, Stage.Place(name), as: .remove, name) { () throws(DiskError) in
      try memory.remove(name, in: directory)
    }
  }

  func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 {
    try call(.look, .root, as: .space, "") { () throws(DiskError) in }
    return plan.hasFreeSpace() ? 1 << 40 : 1000
  }
}
