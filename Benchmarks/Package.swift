// swift-tools-version: 6.2
import PackageDescription

// The folder that the product is checked out to is what the build calls its package.
let product = Context.packageDirectory.split(separator: "/").dropLast().last.map(String.init) ?? "sluice"

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
            ],
            // What is measured is no stranger's to use: the benchmark counts as part of the product's package.
            swiftSettings: [.unsafeFlags(["-package-name", identifier(product)])]
        ),
        .executableTarget(
            name: "queue",
            dependencies: [
                .product(name: "SQLiteDriver", package: "sluice"), .product(name: "Sluice", package: "sluice"),
            ]
        ),
    ]
)

/// A name as the build passes it to the compiler.
func identifier(_ name: String) -> String {
    String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
}
