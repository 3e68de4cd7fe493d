import Glibc

/// An ext4 in a file, and cuts of its power: the file system is shut down without a flush of its journal, so that
/// what was never made durable is gone when it is mounted again.
///
/// What ext4 has handed to its device is kept, also without a flush: the device is a file of this machine.
struct PowerSwitch {
  /// Where it is mounted.
  let volume: String
  private let image: String
  private let fixture: TestEnvironment

  /// Whether this machine has loop devices, allows mounting, and knows this way to shut a file system down.
  static let isAvailable: Bool = {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let root = "\(folder)/box-eventd-power-\(getpid())"
    mkdir(root, 0o700)
    let image = "\(root)/image"
    defer {
      unlink(image)
      rmdir("\(root)/volume")
      rmdir(root)
    }
    mkdir("\(root)/volume", 0o700)
    let works =
      run(makeCommand(image)) && run(mountCommand(image, "\(root)/volume")) && shutDown("\(root)/volume")
    umount2("\(root)/volume", 0)
    if !works { print("SKIPPED: a power cut needs root, loop devices and an ext4 that can be shut down") }
    return works
  }()

  /// Makes the file system and puts spool and state of a fixture on it.
  init(_ fixture: TestEnvironment) async throws {
    self.fixture = fixture
    (volume, image) = ("\(fixture.root)/volume", "\(fixture.root)/image")
    mkdir(volume, 0o755)
    for command in [Self.makeCommand(image), Self.mountCommand(image, volume)] { try await run(command) }
    for part in ["spool", "state"] {
      mkdir("\(volume)/\(part)", 0o700)
      symlink("\(volume)/\(part)", "\(fixture.root)/\(part)")
    }
    Glibc.sync()
    fixture.settings.spool += [#"segment_size = "1KiB""#, #"keep_free = "1MiB""#]
    fixture.configure()
  }

  /// Cuts the power under a daemon, and gives it back.
  /// - Returns: whether something that was written and not synced is gone.
  func cut(_ daemon: ChildProcess) async throws -> Bool {
    let canary = "\(volume)/canary"
    writeFile(canary, Array(repeating: 1, count: 10_000))
    let isDown = Self.shutDown(volume)
    try await daemon.killed()
    guard isDown else { throw ChildProcess.Failure(call: "shutdown", errno: errno) }
    try await remount()
    let isLost = readFile(canary).count != 10_000
    unlink(canary)
    return isLost
  }

  /// Makes the kernel find the file system broken: it is read-only from now on.
  func breakReadOnly() async throws {
    try await run(["/bin/sh", "-c", "mount -o remount,abort \(volume)"])
  }

  func remount() async throws {
    // A process that is just being started somewhere else in this test has every descriptor for a moment.
    try await eventually("the unmount") { umount2(volume, 0) == 0 }
    try await run(Self.mountCommand(image, volume))
  }

  func remove() {
    umount2(volume, Int32(MNT_DETACH))
  }

  private static func makeCommand(_ image: String) -> [String] {
    ["/bin/sh", "-c", "truncate -s 64M \(image) && mkfs.ext4 -q \(image)"]
  }

  private static func mountCommand(_ image: String, _ volume: String) -> [String] {
    ["/bin/sh", "-c", "mount -o loop,errors=remount-ro \(image) \(volume)"]
  }

  private static func shutDown(_ volume: String) -> Bool {
    let descriptor = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(descriptor) }
    // EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), with EXT4_GOING_FLAGS_NOLOGFLUSH.
    var flags: UInt32 = 2
    return ioctl(descriptor, 0x8004_587d, &flags) == 0
  }

  private func run(_ command: [String]) async throws {
    let (child, name) = try fixture.begin(command)
    let outcome = try await fixture.outcome(of: child, name)
    guard outcome.exit == .code(0) else { throw TimedOut(description: "\(command): \(outcome.errors)") }
  }

  private static func run(_ command: [String]) -> Bool {
    let variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    guard
      let child = try? ChildProcess(
        command, environment: variables, output: "/dev/null", errors: "/dev/null")
    else { return false }
    while child.isRunning { usleep(1000) }
    return child.exit == .code(0)
  }
}
