// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "box-eventd",
  products: [
    .executable(name: "box-eventd", targets: ["box-eventd"])
  ],
  dependencies: [
    // An application: every direct dependency has one version, and a new one is a commit of its own.
    // The network: HTTP, TLS, and the server of the status page.
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    // No traits: Hummingbird's FullFoundation links ICU, which doubles the binary.
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    // Signing in and hashing.
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    // The process: commands, configuration, log, signals, descriptors.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    // MARK: The modules. Sources/README.md has the rules of who may import whom.

    // The core: the feed's rules as values. No I/O, no clock.
    .target(
      name: "BoxEvents",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
    // The network edge.
    .target(
      name: "BoxClient",
      dependencies: [
        "BoxEvents", "CDeflate",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    // The module map over libdeflate; no code. Without pkg-config, which would link the shared library.
    .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
    // The disk edge.
    .target(
      name: "Spool",
      dependencies: ["BoxEvents", .product(name: "Crypto", package: "swift-crypto")]),
    // systemd's edge: notifications, watchdog, journal, credentials.
    .target(
      name: "Systemd",
      dependencies: ["BoxEvents", "CSystemd", .product(name: "Logging", package: "swift-log")]),
    // The module map over libsystemd; no code.
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    // A simulated Box on loopback.
    .target(
      name: "BoxSimulator",
      dependencies: [
        "BoxEvents",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    // Puts the edges together.
    .target(
      name: "EventDaemon",
      dependencies: [
        "BoxClient", "BoxEvents", "Spool", "Systemd",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "TOMLKit", package: "TOMLKit"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    // The command line.
    .executableTarget(
      name: "box-eventd",
      dependencies: [
        "BoxEvents", "BoxSimulator", "EventDaemon", "Spool",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),

    // MARK: Tests, a target a module.

    .testTarget(name: "BoxEventsTests", dependencies: ["BoxEvents"]),
    .testTarget(
      name: "BoxClientTests",
      dependencies: [
        "BoxClient", "BoxEvents", "BoxSimulator", "CDeflate", "ScriptedHTTP", "TestSystem",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    .testTarget(
      name: "SpoolTests",
      dependencies: ["BoxEvents", "Contracts", "Spool", "StoppingDisk", "TestDisks"]),
    .testTarget(
      name: "SystemdTests",
      dependencies: ["Systemd", .product(name: "Logging", package: "swift-log")]),
    .testTarget(
      name: "BoxSimulatorTests",
      dependencies: [
        "BoxSimulator",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .testTarget(
      name: "EventDaemonTests",
      dependencies: [
        "BoxClient", "BoxEvents", "Contracts", "EventDaemon", "ScriptedHTTP", "Spool", "Systemd",
        "TestDisks", "TestSystem",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    // The built executables, driven as processes.
    .testTarget(
      name: "ProcessTests",
      dependencies: [
        "BoxEvents", "BoxSimulator", "StoppingDisk", "TestSystem", "box-eventd", "box-eventd-bench",
        "box-eventd-floor", "box-eventd-responder", "stopping-eventd",
      ]),
    // Runs of a stream on a simulated disk, against a simulated feed, under a simulated clock.
    .testTarget(name: "SimulationTests", dependencies: ["Contracts", "Simulation", "TestDisks"]),
    .testTarget(name: "FuzzTests", dependencies: ["BoxEvents", "FuzzTargets"]),

    // MARK: Libraries for tests.

    // An HTTP server that answers by a script.
    .target(
      name: "ScriptedHTTP",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], path: "Tests/Support/ScriptedHTTP"),
    // What every Disk and every EventStore must do.
    .target(name: "Contracts", dependencies: ["BoxEvents", "Spool"], path: "Tests/Support/Contracts"),
    // A disk in memory that can lose power, and disks with faults.
    .target(name: "TestDisks", dependencies: ["BoxEvents", "Spool"], path: "Tests/Support/TestDisks"),
    // A disk that ends the process at a named operation.
    .target(name: "StoppingDisk", dependencies: ["Spool", "TestDisks"], path: "Tests/Support/StoppingDisk"),
    // C's own types, for tests that see NIO's C modules too: which of them shows a type's fields would
    // depend on the order in which the compiler meets them.
    .target(name: "TestSystem", path: "Tests/Support/TestSystem"),
    .target(
      name: "Simulation",
      dependencies: [
        "BoxEvents", "EventDaemon", "Spool", "TestDisks", .product(name: "Logging", package: "swift-log"),
      ], path: "Tests/Support/Simulation"),
    // What must accept any bytes, with the checks of the result.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "BoxEvents", "Spool", "TestDisks", .product(name: "Crypto", package: "swift-crypto"),
      ], path: "Tests/Support/FuzzTargets"),

    // MARK: Programs for tests, started by the scripts in packaging.

    // The daemon with a StoppingDisk, for ProcessTests.
    .executableTarget(
      name: "stopping-eventd", dependencies: ["EventDaemon", "StoppingDisk"],
      path: "Tests/Tools/stopping-eventd"),
    // packaging/tools/simulate-crashes
    .executableTarget(
      name: "simulate-crashes",
      dependencies: [
        "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Tools/simulate-crashes"),
    // packaging/tools/fuzz
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Tools/fuzz"),
    // packaging/bench: the daemon beside a minimal client in C, both served by a minimal responder in C.
    .executableTarget(
      name: "box-eventd-bench",
      dependencies: ["TestSystem", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tests/Tools/box-eventd-bench"),
    .executableTarget(
      name: "box-eventd-floor", path: "Tests/Tools/box-eventd-floor", linkerSettings: [.linkedLibrary("z")]),
    .executableTarget(
      name: "box-eventd-responder", path: "Tests/Tools/box-eventd-responder",
      linkerSettings: [.linkedLibrary("z")]),
  ],
  swiftLanguageModes: [.v6]
)

// Tests run tens of thousands of simulated streams through these: optimized in debug builds too.
let optimizedAlways: Set = ["BoxEvents", "Spool", "Simulation", "TestDisks"]

for target in package.targets where target.type != .system {
  var settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
  if optimizedAlways.contains(target.name) {
    settings.append(.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug)))
  }
  target.swiftSettings = settings
}
