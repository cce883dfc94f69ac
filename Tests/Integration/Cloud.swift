// AWS, as an emulator in a process of its own, and what a sandbox needs to work on it.
import Foundation
import SluiceCore
import Testing

/// An emulator for one test; it goes with whoever holds it, even if that is killed.
final class Cloud: Sendable {
    static let secret = "the-secret-of-the-key"

    private let process: ServingScript
    /// Where all of AWS is.
    let url: String
    /// For every process that is to work on it.
    let environment: [String: String]

    private init(_ process: ServingScript) {
        self.process = process
        url = process.url
        environment = [
            "SLUICE_BACKEND": "aws", "SLUICE_AWS_BUCKET": "sluice-test", "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": Self.secret,
            // Nobody notices at once that a process is gone: its lease has to end, and what it hid to come back.
            "SLUICE_LEASE_SECONDS": "1", "SLUICE_VISIBILITY_SECONDS": "2", "SLUICE_POLL_SECONDS": "1",
            "SLUICE_TICK_SECONDS": "1", "SLUICE_IDLE_SETTLE_SECONDS": "1",
        ]
    }

    /// Starts an emulator, and returns once it serves.
    static func start(_ sandbox: Sandbox) async throws -> Cloud {
        Cloud(try await ServingScript.start(["emulator.py"], sandbox))
    }
}

/// Both services, an emulator with everything made in it, and a sandbox that works on them.
struct CloudWorld: Sendable {
    let services: Services
    let cloud: Cloud
    let sandbox: Sandbox

    /// - Parameters:
    ///   - documents: in all three indexes of Vespa together.
    ///   - faultRate: how many of the services' answers go wrong.
    ///   - seed: of the faults.
    ///   - settings: of every process of the sandbox.
    /// - Returns: all of it, with tables, queues, bucket and index records made.
    /// - Throws: what did not come about.
    static func start(
        documents: Int,
        faultRate: Double = 0,
        seed: UInt64 = 1,
        settings: [String: String] = [:]
    ) async throws -> CloudWorld {
        let plain = try Sandbox()
        let services = try await Services.start(plain, documents: documents, faultRate: faultRate, seed: seed)
        let cloud = try await Cloud.start(plain)
        let environment = services.environment.merging(cloud.environment) { $1 }.merging(settings) { $1 }
        let sandbox = try Sandbox(environment)
        try await sandbox.succeed("tables", "create")
        try await sandbox.setIndexes()
        return CloudWorld(services: services, cloud: cloud, sandbox: sandbox)
    }
}

extension Sandbox {
    /// Everything on AWS is as it should be, and no queue holds anything.
    func expectSoundCloud(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let doctor = try await run("doctor")
        #expect(doctor.end == .exited(0), "\(doctor.output) \(doctor.errors)", sourceLocation: sourceLocation)
        let queues = try await queueDepths()
        #expect(queues.count == 4, sourceLocation: sourceLocation)
        #expect(queues.allSatisfy { $0.1 == 0 }, "\(queues)", sourceLocation: sourceLocation)
    }

    /// How many messages each queue holds, seen or not.
    func queueDepths() async throws -> [(String, Int)] {
        let queues = try #require(JSONValue.parse(try await succeed("queue", "depth", "--format", "json")).arrayValue)
        return queues.map { queue in
            let counts = ["visible", "invisible", "delayed"].map { queue[$0]?.intValue ?? -1 }
            return (queue["queue"]?.stringValue ?? "", counts.contains(-1) ? -1 : counts.reduce(0, +))
        }
    }
}
