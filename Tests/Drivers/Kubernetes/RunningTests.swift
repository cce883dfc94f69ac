// A launch from its manifest to a process that ends, as the launcher and a follower see it.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import KubernetesDriver

@Suite("Launches that run", .serialized, .timeLimit(.minutes(10)))
struct RunningTests {
    /// Runs launches as a shell's script, whose arguments from the second on are those of an extraction.
    private func run(
        _ script: String,
        _ body: (KubernetesLauncher, KubernetesStandIn, KubernetesKubelet) async throws -> Void
    ) async throws {
        var options = KubernetesKubelet.Options()
        options.secrets = ["ecommerce": ["api-key": "hush"]]
        try await KubernetesWorld.run { launcher, standIn async throws in
            let kubelet = KubernetesKubelet(standIn, options)
            var spec = KubernetesWorld.spec()
            spec.command = ["/bin/sh", "-c", script]
            let shell = try KubernetesLauncher(launcher.jobs, spec)
            try await kubelet.whileRunning { try await body(shell, standIn, kubelet) }
        }
    }

    /// The state of the first launch's Job once it has ended.
    private func end(_ launcher: KubernetesLauncher) async throws -> KubernetesJobState {
        var state = KubernetesJobState.running
        try await Changes.of(launcher.jobs) { told async throws in
            while [.waiting, .running].contains(state) {
                guard case .present(let job) = try await told.next() else { break }
                state = job.state
            }
        }
        return state
    }

    @Test("an extraction gets its job, its launch, its variables and its secrets, and ends well")
    func ends() async throws {
        let words = "job extract 2026-11-21-10-02-03-0000000a --launch 1"
        let script = #"[ "$0 $*" = "\#(words)" ] && [ "$SLUICE_BACKEND $SLUICE_ECOMMERCE_API_KEY" = "aws hush" ]"#
        try await run(script) { launcher, _, _ async throws in
            #expect(try await launcher.launch(KubernetesWorld.launch()))
            #expect(try await end(launcher) == .succeeded)
            #expect(try await launcher.standing(of: KubernetesWorld.launch()) == .ended)
        }
    }

    @Test("one that fails is tried four times, and then told to have failed")
    func fails() async throws {
        try await run("exit 1") { launcher, standIn, _ async throws in
            #expect(try await launcher.launch(KubernetesWorld.launch()))
            guard case .failed(let reason) = try await end(launcher) else {
                Issue.record("it did not fail")
                return
            }
            #expect(reason.hasPrefix("BackoffLimitExceeded"))
            #expect(standIn.jobs(in: KubernetesWorld.namespace).first?["status"]?["failed"] == 4)
        }
    }

    @Test("one whose configuration is wrong is not tried again", arguments: [64, 78])
    func wrong(status: Int) async throws {
        try await run("exit \(status)") { launcher, standIn, _ async throws in
            #expect(try await launcher.launch(KubernetesWorld.launch()))
            guard case .failed(let reason) = try await end(launcher) else {
                Issue.record("it did not fail")
                return
            }
            #expect(reason.hasPrefix("PodFailurePolicy"))
            #expect(standIn.jobs(in: KubernetesWorld.namespace).first?["status"]?["failed"] == 1)
        }
    }

    @Test("one whose Job is removed while it runs is told to have vanished, and its process ends")
    func vanishes() async throws {
        try await run("exec sleep 1000") { launcher, standIn, kubelet async throws in
            let launch = try KubernetesWorld.launch()
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await launcher.launch(launch))
                // Who begins to look after it is gone is told nothing of it.
                guard case .present = try await told.next() else {
                    Issue.record("it is not told of")
                    return
                }
                try await standIn.wait { kubelet.processes[launch.kubernetesName] != nil }
                standIn.remove(launch.kubernetesName, in: KubernetesWorld.namespace)
                while case .present(let job) = try await told.next() {
                    #expect([.waiting, .running].contains(job.state))
                }
                try await standIn.wait { kubelet.processes.isEmpty }
            }
            #expect(try await launcher.standing(of: launch) == .gone)
        }
    }
}
