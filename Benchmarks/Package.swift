// swift-tools-version: 6.2
import PackageDescription

// Drivers are open to the house's own package alone, and SwiftPM names that by its folder, whatever its manifest says.
let house = Context.packageDirectory.split(separator: "/").dropLast().last.map { folder in
    String(folder.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
}

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
        // It measures a driver by the calls that the house makes, so it is compiled as part of the house.
        .executableTarget(
            name: "aws",
            dependencies: [
                "Meter", .product(name: "AWSDriver", package: "sluice"), .product(name: "Sluice", package: "sluice"),
            ],
            packageAccess: false,
            swiftSettings: [.unsafeFlags(["-package-name", house ?? "sluice"])]
        ),
        .executableTarget(
            name: "queue",
            dependencies: [
                .product(name: "SQLiteDriver", package: "sluice"), .product(name: "Sluice", package: "sluice"),
            ]
        ),
    ]
)
