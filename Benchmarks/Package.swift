// swift-tools-version: 6.2
import PackageDescription

// Measurements, apart from the product so that nobody who builds it builds them.
let package = Package(
    name: "sluice-benchmarks",
    dependencies: [.package(name: "sluice", path: "..")],
    targets: [
        .target(name: "Meter"),
        .executableTarget(name: "scan", dependencies: ["Meter", .product(name: "Sluice", package: "sluice")]),
        .executableTarget(
            name: "transform",
            dependencies: [
                "Meter", .product(name: "Reindexing", package: "sluice"), .product(name: "Sluice", package: "sluice"),
            ]
        ),
        .executableTarget(
            name: "queue",
            dependencies: [
                .product(name: "SQLiteDriver", package: "sluice"), .product(name: "Sluice", package: "sluice"),
            ]
        ),
    ]
)
