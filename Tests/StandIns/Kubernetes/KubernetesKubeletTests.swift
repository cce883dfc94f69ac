// Tries the processes that Jobs of the stand-in run.
import Glibc
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("Jobs as processes", .serialized, .timeLimit(.minutes(10)))
struct KubernetesKubeletTests {
    private func run(
        _ options: KubernetesKubelet.Options = KubernetesKubelet.Options(),
        clock: ManualClock = ManualClock(),
        _ body: (KubernetesStandIn, KubernetesKubelet) async throws -> Void
    ) async throws {
        let standIn = KubernetesStandIn(clock: clock)
        let kubelet = KubernetesKubelet(standIn, options)
        try await kubelet.whileRunning { try await body(standIn, kubelet) }
        #expect(kubelet.processes.isEmpty)
    }

    /// The condition that a Job ends with, and how many of its Pods failed.
    private func end(_ name: String, _ standIn: KubernetesStandIn) async throws -> (condition: JSONValue, failed: Int) {
        try await standIn.wait { !standIn.jobs(in: "n").allSatisfy { $0["status"]?["conditions"] == nil } }
        let job = standIn.jobs(in: "n").first { $0["metadata"]?["name"]?.stringValue == name }
        let status = try #require(job?["status"])
        return (try #require(status["conditions"]?.arrayValue?.first), status["failed"]?.intValue ?? 0)
    }

    private static func shell(_ script: String, spec: JSONObject = [:]) -> JSONValue {
        KubernetesTalk.job("j", ["/bin/sh", "-c", script], spec: spec)
    }

    @Test("a command that ends well completes its Job")
    func succeeds() async throws {
        try await run { standIn, _ async throws in
            standIn.put(Self.shell("exit 0"), in: "n")
            let (condition, failed) = try await end("j", standIn)
            #expect(condition["type"] == "Complete")
            #expect(failed == 0)
        }
    }

    @Test("a command that fails is tried again, up to the limit", arguments: [0, 2])
    func fails(limit: Int) async throws {
        try await run { standIn, _ async throws in
            standIn.put(Self.shell("exit 1", spec: ["backoffLimit": .number(JSONNumber(limit))]), in: "n")
            let (condition, failed) = try await end("j", standIn)
            #expect(condition["type"] == "Failed")
            #expect(condition["reason"] == "BackoffLimitExceeded")
            #expect(failed == limit + 1)
        }
    }

    @Test("a status that the failure policy names ends the Job at once")
    func policy() async throws {
        let rule: JSONValue = ["action": "FailJob", "onExitCodes": ["operator": "In", "values": [64]]]
        let spec: JSONObject = ["backoffLimit": 5, "podFailurePolicy": ["rules": [rule]]]
        try await run { standIn, _ async throws in
            standIn.put(Self.shell("exit 64", spec: spec), in: "n")
            let (condition, failed) = try await end("j", standIn)
            #expect(condition["reason"] == "PodFailurePolicy")
            #expect(failed == 1)
        }
    }

    @Test("a program that is not there fails its Job")
    func absent() async throws {
        try await run { standIn, _ async throws in
            standIn.put(KubernetesTalk.job("j", ["/no/such/program"], spec: ["backoffLimit": 1]), in: "n")
            let (condition, failed) = try await end("j", standIn)
            #expect(condition["reason"] == "BackoffLimitExceeded")
            #expect(failed == 2)
        }
    }

    @Test("the command gets its words, its variables and its secrets, and the program that stands for it")
    func surroundings() async throws {
        var options = KubernetesKubelet.Options()
        options.environment = ["BASE": "b", "OWN": "covered"]
        options.secrets = ["s": ["k": "hush"]]
        options.program = { $0 == "sluice" ? "/bin/sh" : $0 }
        let test = #"[ "$BASE $OWN $KEY $1 $2" = 'b o hush $(OWN) o-x' ]"#
        let variables: JSONValue = [
            ["name": "OWN", "value": "o"],
            ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]],
        ]
        let container: JSONValue = [
            "name": "c", "image": "i", "env": variables, "command": ["sluice"],
            "args": ["-c", .string(test.replacing("$", with: "$$")), "sh", "$$(OWN)", "$(OWN)-x"],
        ]
        let spec: JSONObject = [
            "backoffLimit": 0, "template": ["spec": ["restartPolicy": "Never", "containers": [container]]],
        ]
        try await run(options) { standIn, _ async throws in
            standIn.put(KubernetesTalk.job("j", spec: spec), in: "n")
            #expect(try await end("j", standIn).condition["type"] == "Complete")
        }
    }

    @Test("a container whose Secret is missing waits until its deadline")
    func missingSecret() async throws {
        let variable: JSONValue = ["name": "K", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]]
        let container: JSONValue = ["name": "c", "image": "i", "command": ["/bin/true"], "env": [variable]]
        let spec: JSONObject = [
            "activeDeadlineSeconds": 100,
            "template": ["spec": ["restartPolicy": "Never", "containers": [container]]],
        ]
        let clock = ManualClock()
        try await run(clock: clock) { standIn, kubelet async throws in
            standIn.put(KubernetesTalk.job("j", spec: spec), in: "n")
            try await clock.sleepers(atLeast: 1)
            #expect(kubelet.processes.isEmpty)
            clock.advance(by: .seconds(100))
            #expect(try await end("j", standIn).condition["reason"] == "DeadlineExceeded")
        }
    }

    @Test("a removed Job's process is told to end")
    func removed() async throws {
        try await run { standIn, kubelet async throws in
            standIn.put(Self.shell("exec sleep 1000"), in: "n")
            try await standIn.wait { kubelet.processes["j"] != nil }
            let id = try #require(kubelet.processes["j"])
            standIn.remove("j", in: "n")
            try await standIn.wait { kubelet.processes.isEmpty }
            #expect(kill(id, 0) == -1)
        }
    }

    @Test("a process that does not end when it is told to is killed after its grace")
    func stubborn() async throws {
        let clock = ManualClock()
        let words = try Pipe()
        var options = KubernetesKubelet.Options()
        options.output = words.writing
        try await run(options, clock: clock) { standIn, kubelet async throws in
            standIn.put(Self.shell("trap '' TERM; echo deaf; while :; do sleep 1000; done"), in: "n")
            #expect(try await words.line() == "deaf")
            standIn.remove("j", in: "n")
            try await clock.sleepers(atLeast: 1)
            #expect(kubelet.processes.count == 1)
            clock.advance(by: .seconds(30))
            try await standIn.wait { kubelet.processes.isEmpty }
        }
    }

    @Test("a Job that takes too long is ended by its deadline")
    func deadline() async throws {
        let clock = ManualClock()
        try await run(clock: clock) { standIn, kubelet async throws in
            standIn.put(Self.shell("exec sleep 1000", spec: ["activeDeadlineSeconds": 60]), in: "n")
            try await standIn.wait { kubelet.processes["j"] != nil }
            try await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(60))
            #expect(try await end("j", standIn).condition["reason"] == "DeadlineExceeded")
        }
    }

    @Test("an ended Job is tidied away after its time")
    func tidied() async throws {
        let clock = ManualClock()
        try await run(clock: clock) { standIn, _ async throws in
            standIn.put(Self.shell("exit 0", spec: ["ttlSecondsAfterFinished": 10]), in: "n")
            _ = try await end("j", standIn)
            try await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(10))
            try await standIn.wait { standIn.jobs(in: "n").isEmpty }
        }
    }

    @Test("no process outlives the stand-in")
    func stopped() async throws {
        let standIn = KubernetesStandIn(clock: ManualClock())
        let kubelet = KubernetesKubelet(standIn)
        let id = try await kubelet.whileRunning {
            standIn.put(Self.shell("trap '' TERM; sleep 1000; sleep 1000"), in: "n")
            try await standIn.wait { kubelet.processes["j"] != nil }
            return try #require(kubelet.processes["j"])
        }
        #expect(kill(id, 0) == -1)
    }
}

/// What a process says, line by line.
private final class Pipe: Sendable {
    private let reading: Int32
    let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw RawClient.Problem(text: "no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// Waits for a line without holding up a thread.
    func line() async throws -> String {
        var text = ""
        var byte: UInt8 = 0
        while byte != UInt8(ascii: "\n") {
            var poll = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 0) > 0 else {
                try Task.checkCancellation()
                await Task.yield()
                continue
            }
            guard read(reading, &byte, 1) == 1 else { break }
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return String(text.filter { !$0.isNewline })
    }
}
