// swift-tools-version: 6.2
import PackageDescription

// The house, from the ground up. Each line is one folder, one target and its tests;
// the function that makes it says what that floor may stand on.
let floors: [[Target]] = [
    module("Core"),
    module("Engine", on: ["SluiceCore"], with: [.lifecycle, .logging, .orderedCollections]),

    driver("Memory", with: [.deque, .heap]),
    driver("SQLite", with: [.grdb, .grdbSQLite]),
    driver("Files", on: ["CZlib"], with: [.deque]),
    driver("HTTP", with: [.asyncHTTPClient, .nioCore, .nioHTTP1, .nioPosix, .nioSSL], trying: [.nioEmbedded]),
    driver("Vespa", on: ["HTTPDriver"]),
    driver("Ecommerce", on: ["HTTPDriver"]),
    driver("AWS", on: ["HTTPDriver"], with: [.crypto]),
    driver("Lambda", on: ["HTTPDriver"]),
    driver("Kubernetes", on: ["HTTPDriver"]),

    pipeline("Reindex"),

    module(
        "StandIns",
        on: ["SluiceCore"],
        with: [.hummingbird, .hummingbirdCore, .nioCore, .httpTypes, .logging, .lifecycle]
    ),

    module(
        "Assembly",
        on: [
            "SluiceCore", "SluiceEngine", "MemoryDriver", "SQLiteDriver", "FilesDriver", "HTTPDriver", "VespaDriver",
            "EcommerceDriver", "AWSDriver", "KubernetesDriver", "ReindexPipeline",
        ],
        with: [.configuration, .logging]
    ),

    program(
        "sluice",
        at: "CLI",
        on: ["SluiceCore", "SluiceEngine", "ReindexPipeline", "SluiceStandIns"],
        with: [.argumentParser, .lifecycle, .logging, .signals]
    ),
    program(
        "sluice-lambda",
        at: "Lambda",
        on: ["SluiceCore", "SluiceEngine", "AWSDriver", "LambdaDriver"],
        with: [.logging, .signals]
    ),

    [
        .systemLibrary(
            name: "CZlib",
            path: "Sources/Drivers/CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .target(name: "SluiceTestKit", dependencies: ["SluiceCore"], path: "Sources/TestKit"),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["SluiceCore", "SluiceTestKit", "sluice", .grdbSQLite],
            path: "Tests/Integration"
        ),
    ],
]

let package = Package(
    name: "sluice",
    products: [
        .library(name: "Sluice", targets: ["SluiceCore", "SluiceEngine"]),
        .library(name: "SQLiteDriver", targets: ["SQLiteDriver"]),
        // For Benchmarks, which are a package of their own.
        .library(name: "AWSDriver", targets: ["AWSDriver", "HTTPDriver"]),
        .library(name: "Reindexing", targets: ["ReindexPipeline", "SluiceStandIns"]),
        .executable(name: "sluice", targets: ["sluice"]),
        .executable(name: "sluice-lambda", targets: ["sluice-lambda"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(
            url: "https://github.com/apple/swift-configuration.git",
            from: "1.4.0",
            traits: [.defaults, "YAML", "CommandLineArguments"]
        ),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: floors.flatMap { $0 }
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}

/// A folder directly under Sources: part of the product, and named for it.
func module(_ name: String, on house: [String] = [], with libraries: [Target.Dependency] = []) -> [Target] {
    room("Sluice\(name)", at: name, on: house, with: libraries)
}

/// A driver stands on Core and on what it wraps; never on the engine.
func driver(
    _ name: String,
    on house: [String] = [],
    with libraries: [Target.Dependency] = [],
    trying others: [Target.Dependency] = []
) -> [Target] {
    room("\(name)Driver", at: "Drivers/\(name)", on: ["SluiceCore"] + house, with: libraries, trying: others)
}

/// A pipeline stands on the engine; never on a driver or on another pipeline.
func pipeline(_ name: String) -> [Target] {
    room("\(name)Pipeline", at: "Pipelines/\(name)", on: ["SluiceCore", "SluiceEngine"])
}

/// A program is an app that can be started; it stands on the assembly and on what it shows itself with.
func program(_ name: String, at folder: String, on house: [String], with libraries: [Target.Dependency]) -> [Target] {
    room(name, at: "Apps/\(folder)", on: ["SluiceAssembly"] + house, with: libraries, starts: true)
}

/// One folder, its target, and the tests that mirror it and may use the fakes.
func room(
    _ name: String,
    at folder: String,
    on house: [String],
    with libraries: [Target.Dependency] = [],
    trying others: [Target.Dependency] = [],
    starts: Bool = false
) -> [Target] {
    let needs = house.map(Target.Dependency.room) + libraries
    // Drivers of services that can't be installed, and pipelines that read their data, are tried on the stand-ins.
    let peers = house.contains("HTTPDriver") || folder.hasPrefix("Pipelines/") ? ["SluiceStandIns"] : []
    let fakes = Set([name, "SluiceCore", "SluiceTestKit", "MemoryDriver"] + peers).subtracting(house)
    return [
        starts
            ? .executableTarget(name: name, dependencies: needs, path: "Sources/\(folder)")
            : .target(name: name, dependencies: needs, path: "Sources/\(folder)"),
        .testTarget(
            name: "\(name)Tests",
            dependencies: needs + others + fakes.sorted().map(Target.Dependency.room),
            path: "Tests/\(folder)"
        ),
    ]
}

extension Target.Dependency {
    static func room(_ name: String) -> Self { .target(name: name) }

    static var argumentParser: Self { .product(name: "ArgumentParser", package: "swift-argument-parser") }
    static var asyncHTTPClient: Self { .product(name: "AsyncHTTPClient", package: "async-http-client") }
    static var configuration: Self { .product(name: "Configuration", package: "swift-configuration") }
    static var crypto: Self { .product(name: "Crypto", package: "swift-crypto") }
    static var deque: Self { .product(name: "DequeModule", package: "swift-collections") }
    static var grdb: Self { .product(name: "GRDB", package: "GRDB.swift") }
    static var grdbSQLite: Self { .product(name: "GRDBSQLite", package: "GRDB.swift") }
    static var heap: Self { .product(name: "HeapModule", package: "swift-collections") }
    static var httpTypes: Self { .product(name: "HTTPTypes", package: "swift-http-types") }
    static var hummingbird: Self { .product(name: "Hummingbird", package: "hummingbird") }
    static var hummingbirdCore: Self { .product(name: "HummingbirdCore", package: "hummingbird") }
    static var lifecycle: Self { .product(name: "ServiceLifecycle", package: "swift-service-lifecycle") }
    static var logging: Self { .product(name: "Logging", package: "swift-log") }
    static var nioCore: Self { .product(name: "NIOCore", package: "swift-nio") }
    static var nioEmbedded: Self { .product(name: "NIOEmbedded", package: "swift-nio") }
    static var nioHTTP1: Self { .product(name: "NIOHTTP1", package: "swift-nio") }
    static var nioPosix: Self { .product(name: "NIOPosix", package: "swift-nio") }
    static var nioSSL: Self { .product(name: "NIOSSL", package: "swift-nio-ssl") }
    static var orderedCollections: Self { .product(name: "OrderedCollections", package: "swift-collections") }
    static var signals: Self { .product(name: "UnixSignals", package: "swift-service-lifecycle") }
}
