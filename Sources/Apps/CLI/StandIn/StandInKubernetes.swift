// An API that keeps Jobs, and runs their commands here: `sluice stand-in kubernetes`.
import ArgumentParser
import Foundation
import ServiceLifecycle
import SluiceCore
import SluiceStandIns

struct StandInKubernetes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubernetes",
        abstract: "Stand in for the Kubernetes API: Jobs, checked, kept, watched and run as processes of this machine.",
        discussion: """
            The API lies under /apis/batch/v1. If SLUICE_KUBERNETES_TOKEN is set, requests must show that bearer token. \
            Processes get this one's environment and that of their container, and write to standard error.
            """
    )

    @Option(help: "The program to run for the first word of every container's command. (default: the word itself)")
    var program: String?

    @Flag(help: "Keep Jobs, but run nothing.")
    var idle = false

    @Option(
        name: .customLong("secret"),
        help: "A Secret's value, as SECRET/KEY=VARIABLE of this environment; repeatable."
    )
    var secrets: [String] = []

    @OptionGroup var options: StandInOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let chance = KubernetesStandIn.Faults.Chance(rate: options.faultRate, faults: Self.faults, seed: options.seed)
        let token = environment["SLUICE_KUBERNETES_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        let standIn = KubernetesStandIn(faults: KubernetesStandIn.Faults(chance: chance)) { shown in
            token == nil || shown == token
        }
        var kubelet = KubernetesKubelet.Options()
        kubelet.environment = environment.filter { $0.key != "SLUICE_KUBERNETES_TOKEN" }
        kubelet.secrets = try Self.secrets(secrets, environment)
        kubelet.output = STDERR_FILENO
        kubelet.restartDelay = .seconds(1)
        if let program { kubelet.program = { _ in program } }
        let server = StandInServer(standIn, port: options.port) { url in StandardOutput.write("\(url)\n") }
        try await options.serve(
            KubernetesNode(server: server, kubelet: idle ? nil : KubernetesKubelet(standIn, kubelet))
        )
    }

    /// Values never stand on a command line, where everybody on the machine may read them.
    private static func secrets(
        _ texts: [String],
        _ environment: [String: String]
    ) throws -> [String: [String: String]] {
        var secrets: [String: [String: String]] = [:]
        for text in texts {
            let sides = text.split(separator: "=")
            let names = sides.first?.split(separator: "/") ?? []
            guard sides.count == 2, names.count == 2, let value = environment[String(sides[1])] else {
                throw ValidationError("secret must be SECRET/KEY=VARIABLE, and the variable set; is \(text)")
            }
            secrets[String(names[0]), default: [:]][String(names[1])] = value
        }
        return secrets
    }

    /// All that a launch and whoever follows it can meet and get over.
    private static let faults: [(weight: Int, fault: KubernetesFault)] = [
        (3, .status(429, retryAfter: 1)), (2, .status(500)), (3, .status(503)), (2, .before(.reset)),
        (2, .after(.reset)), (2, .watchEnds(.inOrder)), (2, .watchEnds(.hangUp, afterEvents: 1)),
        (2, .watchEnds(.reset)), (1, .watchEnds(.halfLine)), (2, .watchEnds(.gone, afterEvents: 1)),
    ]
}

/// The API and what runs its Jobs, ended together.
private struct KubernetesNode<Server: Service>: Service {
    let server: Server
    let kubelet: KubernetesKubelet?

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [server] in try await server.run() }
            if let kubelet { group.addTask { try await kubelet.run() } }
            // Either ends by a stop, and so does the other, or by a failure that ends both.
            while try await group.next() != nil {}
        }
    }
}
