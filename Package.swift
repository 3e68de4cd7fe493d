// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "box-eventd",
  products: [
    .executable(name: "box-eventd", targets: ["box-eventd"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
  ],
  targets: [
    // The module map over libsystemd; no code.
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),

    // systemd's edge: notifications, watchdog, journal, credentials.
    .target(
      name: "Systemd",
      dependencies: ["BoxEvents", "CSystemd", .product(name: "Logging", package: "swift-log")]),

    // The heart: the feed's rules as values. No I/O, no clock.
    .target(
      name: "BoxEvents",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")]),

    // The network edge.
    .target(
      name: "BoxClient",
      dependencies: [
        "BoxEvents",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
      ]),

    // The disk edge.
    .target(
      name: "Spool",
      dependencies: [
        "BoxEvents",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),

    // A faithful Box on loopback.
    .target(
      name: "BoxSimulator",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
      ]),

    // Puts the edges together.
    .target(
      name: "EventDaemon",
      dependencies: [
        "BoxClient", "BoxEvents", "Spool", "Systemd",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "TOMLKit", package: "TOMLKit"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),

    .executableTarget(
      name: "box-eventd",
      dependencies: [
        "BoxClient", "BoxEvents", "BoxSimulator", "EventDaemon", "Spool", "Systemd",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),

    // An HTTP server that answers tests by a script.
    .target(
      name: "ScriptedHTTP",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], path: "Tests/Support/ScriptedHTTP"),
    // A disk in memory that can lose power.
    .target(name: "TestDisks", dependencies: ["BoxEvents", "Spool"], path: "Tests/Support/TestDisks"),
    // C's own types, for tests that see NIO's C modules too: which of them shows a type's fields is then up to
    // the order in which the compiler meets them.
    .target(name: "TestSystem", path: "Tests/Support/TestSystem"),

    .testTarget(name: "BoxEventsTests", dependencies: ["BoxEvents"]),
    .testTarget(
      name: "SystemdTests",
      dependencies: ["Systemd", .product(name: "Logging", package: "swift-log")]),
    .testTarget(
      name: "BoxClientTests",
      dependencies: [
        "BoxClient", "BoxEvents", "BoxSimulator", "ScriptedHTTP",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "JWTKit", package: "jwt-kit"),
      ]),
    .testTarget(
      name: "SpoolTests",
      dependencies: [
        "BoxEvents", "Spool", "TestDisks",
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
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
        "BoxClient", "BoxEvents", "BoxSimulator", "EventDaemon", "ScriptedHTTP", "Spool", "Systemd",
        "TestSystem",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    // The built executable, driven as a process.
    .testTarget(
      name: "ProcessTests",
      dependencies: [
        "BoxEvents", "BoxSimulator", "StoppingDisk", "TestSystem", "box-eventd", "stopping-eventd",
      ]),
    // The daemon of a test build, which stops itself dead at a named point.
    .target(
      name: "StoppingDisk", dependencies: ["Spool"], path: "Tests/Support/StoppingDisk"),
    .executableTarget(
      name: "stopping-eventd", dependencies: ["EventDaemon", "StoppingDisk"],
      path: "Tests/Tools/stopping-eventd"),
    // Whole lives of a stream on a disk, with a Box and a clock that are simulated.
    .target(
      name: "Simulation",
      dependencies: [
        "BoxEvents", "EventDaemon", "Spool", .product(name: "Logging", package: "swift-log"),
      ], path: "Tests/Support/Simulation"),
    // packaging/tools/simulate-crashes
    .executableTarget(
      name: "simulate-crashes",
      dependencies: [
        "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Tools/simulate-crashes"),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
    // What must stand any bytes, with the checks that say so; and packaging/tools/fuzz, which runs them for long.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "BoxEvents", "Spool", "TestDisks", .product(name: "Crypto", package: "swift-crypto"),
      ], path: "Tests/Support/FuzzTargets"),
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Tools/fuzz"),
    .testTarget(
      name: "FuzzTests", dependencies: ["BoxEvents", "FuzzTargets"]),
    // packaging/bench: the daemon beside the least a client can do.
    .executableTarget(
      name: "box-eventd-bench",
      dependencies: [
        "BoxSimulator", "TestSystem",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Tools/box-eventd-bench"),
    .executableTarget(
      name: "box-eventd-floor", path: "Tests/Tools/box-eventd-floor", linkerSettings: [.linkedLibrary("z")]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
}

// Whole lives of streams run through these by the ten thousand, in the debug build that the tests use.
for target in package.targets where ["BoxEvents", "Spool", "Simulation"].contains(target.name) {
  target.swiftSettings?.append(
    .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug)))
}
