// Stand-ins of Vespa and the Ecommerce API as processes of their own, and what a sandbox needs to reach them.
import Foundation
import SluiceCore
import Testing

/// Both services, for as long as a test holds them.
struct Services: Sendable {
    static let account = "shop"
    static let key = "the-key-of-the-shop"

    let vespa: SluiceProcess
    let ecommerce: SluiceProcess
    let ecommerceURL: String
    /// For every process that is to reach them.
    let environment: [String: String]

    /// Starts the stand-ins, and returns once they answer.
    static func start(
        _ sandbox: Sandbox,
        documents: Int,
        faultRate: Double = 0,
        seed: UInt64 = 1,
        vespa more: [String] = [],
        ecommerce others: [String] = ["--processing", "50"]
    ) async throws -> Services {
        let chance = ["--fault-rate", "\(faultRate)", "--seed", "\(seed)"]
        let vespa = try sandbox.start(["stand-in", "vespa", "--documents", "\(documents)"] + chance + more)
        let ecommerce = try sandbox.start(
            ["stand-in", "ecommerce"] + chance + others,
            with: ["SLUICE_ECOMMERCE_API_KEY": key]
        )
        let url = try await url(of: ecommerce)
        return Services(
            vespa: vespa,
            ecommerce: ecommerce,
            ecommerceURL: url,
            environment: [
                "SLUICE_VESPA_URL": "vespa+" + (try await Self.url(of: vespa)),
                "SLUICE_ECOMMERCE_URL": "ecommerce+\(url)/api/v1", "SLUICE_ECOMMERCE_API_KEY": key,
                // A minute of waiting for nothing else than a next look.
                "SLUICE_CONFIRM_INTERVAL_SECONDS": "0.2", "SLUICE_BACKOFF_INITIAL_SECONDS": "0.05",
                "SLUICE_BACKOFF_MAX_SECONDS": "1",
            ]
        )
    }

    private static func url(of process: SluiceProcess) async throws -> String {
        try await eventually("a stand-in's URL; it says: \(process.errors)") {
            if let end = process.end { throw NotAsExpected("the stand-in ended with \(end): \(process.errors)") }
            return process.output.split(separator: "\n").first.map(String.init)
        }
    }

    /// What the stand-in of the Ecommerce API says of itself.
    func statistics() async throws -> JSONValue {
        try JSONValue.parse(try await Self.curl("\(ecommerceURL)/stand-in/stats"))
    }

    /// Changes one document of an index behind the job's back, and adds one that belongs to nobody.
    func spoil(_ index: String) async throws {
        let listing = "\(ecommerceURL)/stand-in/indexes/\(index)/documents?limit=1"
        let first = try #require(try await Self.curl(listing).split(separator: "\n").first)
        let id = try #require(JSONValue.parse(String(first))["_id"]?.stringValue)
        let documents: JSONValue = [
            "documents": [
                ["_id": .string(id), "productTitle": "spoilt"], ["_id": "nobody's", "productTitle": "extra"],
            ]
        ]
        try await Self.curl(
            "\(ecommerceURL)/api/v1/indexes/\(index)/documents",
            "--header",
            "Authorization: Bearer \(Self.key)",
            "--header",
            "Content-Type: application/json",
            "--data-binary",
            documents.description
        )
        try await eventually("the spoilt document") {
            try await Self.curl("\(ecommerceURL)/stand-in/indexes/\(index)/documents").contains("spoilt") ? () : nil
        }
    }

    /// One exchange by somebody else's client; what was answered.
    @discardableResult
    static func curl(_ url: String, _ options: String...) async throws -> String {
        let sandbox = try Sandbox()
        let process = try SluiceProcess(
            ["curl", "--silent", "--show-error", "--fail"] + options + [url],
            environment: ["PATH": "/usr/bin:/bin"],
            outputPath: sandbox.path("out"),
            errorPath: sandbox.path("err")
        )
        let end = try await process.waitForEnd()
        guard end == .exited(0) else { throw NotAsExpected("curl \(url): \(end): \(process.errors)") }
        return process.output
    }

    /// Whether somebody has a connection to the Ecommerce API, as the kernel sees it.
    func isEcommerceInUse() throws -> Bool {
        let port = try #require(URL(string: ecommerceURL)?.port)
        let remote = ":" + String(port + 0x10000, radix: 16, uppercase: true).dropFirst()
        let table = String(decoding: contents(of: "/proc/net/tcp") ?? [], as: UTF8.self)
        // Where to, and 01, which is established.
        return table.split(separator: "\n").map { $0.split(separator: " ") }
            .contains { $0.count > 3 && $0[2].hasSuffix(remote) && $0[3] == "01" }
    }

    /// How many documents an index of the Ecommerce API holds.
    func held(by index: String) async throws -> Int {
        try await statistics()["documents"]?[index]?.intValue ?? 0
    }
}

extension Sandbox {
    /// Makes the records of the stand-in's three indexes known.
    func setIndexes() async throws {
        let fields = try await succeed("stand-in", "vespa", "--show-fields").split(separator: "\n").flatMap {
            ["--field", String($0)]
        }
        let common = ["--account", Services.account, "--shop-id", "s1"]
        for kind in IndexKind.allCases {
            try await succeed(
                ["index", "set", "products-\(kind.rawValue)", "--type", kind.rawValue] + common
                    + (kind == .structured ? fields : [])
            )
        }
    }

    /// Creates a job from an index of the stand-in to an index of the Ecommerce API; its id.
    func reindex(_ kind: IndexKind, to destination: String, _ more: String...) async throws -> String {
        try await reindex(kind, to: destination, more)
    }

    func reindex(_ kind: IndexKind, to destination: String, _ more: [String]) async throws -> String {
        let words =
            ["reindex", "start", "--account", Services.account, "--index", "products-\(kind.rawValue)"]
            + ["--destination-index", destination] + more
        return try await succeed(words).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
