// How a launch becomes a Job, and what the API's refusals come to.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import KubernetesDriver

@Suite("Launching on Kubernetes", .serialized, .timeLimit(.minutes(10)))
struct LauncherTests {
    @Test("it keeps the promises of launchers", arguments: LauncherContract.cases)
    func promise(_ promise: ContractCase<LauncherContract.Harness>) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            let harness = LauncherContract.Harness(launcher: launcher) {
                standIn.jobs(in: KubernetesWorld.namespace).compactMap {
                    KubernetesLabels.launch(of: $0["metadata"]?["annotations"])?.name
                }
            }
            try await promise.run(harness)
        }
    }

    @Test("the API is asked to be strict, and told who asks")
    func request() async throws {
        let scripted = ScriptedStandIn([.init(201, "{}")])
        try await withServer(scripted) { url async throws in
            let access = try KubernetesAccess(endpoint: "\(url)/", authority: nil, token: Tokens().token)
            try await KubernetesWorld.run(access) { launcher async throws in
                #expect(try await launcher.launch(KubernetesWorld.launch()))
            }
        }
        let asked = try #require(scripted.asked.first)
        #expect(asked.method == "POST")
        #expect(asked.target == "/apis/batch/v1/namespaces/tenants/jobs?fieldManager=sluice&fieldValidation=Strict")
        #expect(asked.header("Authorization") == "Bearer hush-token-1")
        #expect(asked.header("Content-Type") == "application/json")
        #expect(try JSONValue.parse(asked.body) == KubernetesWorld.spec().manifest(for: KubernetesWorld.launch()))
    }

    @Test(
        "a refusal is what a caller can act on",
        arguments: [
            (400, nil, .invalidRequest, ["by plan"]), (401, nil, .unauthorized, ["access entry"]),
            (403, nil, .unauthorized, [#""create" on "jobs""#, #"namespace "tenants""#]),
            (404, nil, .notFound, ["not found"]), (409, "Conflict", .conflict, []), (410, nil, .unavailable, []),
            (413, nil, .invalidRequest, []), (415, nil, .invalidRequest, []),
            (422, nil, .invalidRequest, ["is invalid"]),
            (429, nil, .throttled, ["too many requests"]), (500, nil, .unavailable, ["Internal error"]),
            (502, nil, .unavailable, []), (503, nil, .unavailable, ["unable to handle"]), (504, nil, .unavailable, []),
        ] as [(Int, String?, PortError.Code, [String])]
    )
    func refusals(status: Int, reason: String?, code: PortError.Code, words: [String]) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.stand(.status(status, reason: reason), for: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == code)
            let refusal = try #require(error?.cause as? KubernetesRefusal)
            #expect(refusal.status == status)
            for word in words { #expect(error?.message.contains(word) == true, "\(String(describing: error))") }
            #expect(standIn.jobs(in: KubernetesWorld.namespace).isEmpty)
            standIn.faults.stand(nil, for: .create)
            #expect(try await launcher.launch(KubernetesWorld.launch()))
        }
    }

    @Test("a quota that is used up is waited for, not despaired of")
    func quota() async throws {
        let message =
            #"jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 5, limited: 5"#
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.script(.status(403, message: message), of: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == .throttled)
            #expect(error?.message.contains("exceeded quota") == true)
        }
    }

    @Test("how long the API wants to be left alone is in the cause", arguments: [(429, 7), (503, 30)])
    func retryAfter(status: Int, seconds: Int) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.script(.status(status, retryAfter: seconds), of: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.isRetryable == true)
            #expect((error?.cause as? KubernetesRefusal)?.retryAfter == .seconds(seconds))
            #expect("\(try #require(error))".contains("come again in \(seconds) s"))
        }
    }

    @Test("a page of something in between is no word of the API", arguments: [(200, false), (404, true), (502, false)])
    func pages(status: Int, isFinal: Bool) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.stand(.page(status, "<html>"), for: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == (isFinal ? .invalidRequest : .unavailable))
            standIn.faults.stand(.page(404, "<html>"), for: .get)
            let other = await #expect(throws: PortError.self) {
                _ = try await launcher.standing(of: KubernetesWorld.launch())
            }
            #expect(other?.code == .invalidRequest)
        }
    }

    @Test("a token that ran out is renewed once, and the launch begins once")
    func expired() async throws {
        let tokens = Tokens()
        let standIn = KubernetesStandIn(clock: ManualClock()) { tokens.accepts($0) }
        try await KubernetesWorld.run(standIn, tokens: tokens) { launcher, standIn async throws in
            #expect(try await launcher.launch(KubernetesWorld.launch()))
            tokens.expire()
            #expect(try await launcher.launch(KubernetesWorld.launch(2)))
            #expect(tokens.renewals == 1)
            #expect(standIn.faults.requests[.create] == 3)
            tokens.expire(forever: true)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch(3))
            }
            #expect(error?.code == .unauthorized)
            #expect(tokens.renewals == 2)
            #expect(standIn.jobs(in: KubernetesWorld.namespace).count == 2)
        }
    }

    @Test("a token that can't be had is the launch's error")
    func noToken() async throws {
        let access = try KubernetesAccess(endpoint: "http://127.0.0.1:1", authority: nil) { _ throws(PortError) in
            throw PortError(.unauthorized, "STS knows us not")
        }
        try await KubernetesWorld.run(access) { launcher async throws in
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.message == "STS knows us not")
        }
    }

    @Test(
        "an answer that is lost leaves the outcome open, and asking again finds it",
        arguments: [
            (KubernetesFault.after(.reset), false), (.after(.hangUp), false), (.after(.cut(afterBytes: 9)), false),
            (.before(.reset), true), (.before(.hangUp), true),
        ]
    )
    func lost(fault: KubernetesFault, startsLater: Bool) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.script(fault, of: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == .unavailable)
            #expect(error?.outcomeUnknown == true)
            #expect(try await launcher.launch(KubernetesWorld.launch()) == startsLater)
            #expect(standIn.jobs(in: KubernetesWorld.namespace).count == 1)
        }
    }

    @Test("an API that falls silent is a time-out")
    func silent() async throws {
        var options = HTTPOptions()
        options.stallTimeout = .milliseconds(100)
        try await KubernetesWorld.run(options: options) { launcher, standIn async throws in
            standIn.faults.script(.before(.stall(nil)), of: .create)
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == .timedOut)
            #expect(error?.outcomeUnknown == true)
        }
    }

    @Test("an API that is not there may be there later")
    func refused() async throws {
        let access = try KubernetesAccess(endpoint: "http://127.0.0.1:1", authority: nil, token: Tokens().token)
        try await KubernetesWorld.run(access) { launcher async throws in
            let error = await #expect(throws: PortError.self) {
                _ = try await launcher.launch(KubernetesWorld.launch())
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("create a job in namespace tenants") == true)
        }
    }

    @Test("an API that repeats what it was sent gets no token into an error", arguments: [400, 401, 403, 422, 500])
    func secrecy(status: Int) async throws {
        let scripted = ScriptedStandIn { _, asked in
            let sent = asked.headers.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            let body: JSONValue = ["kind": "Status", "reason": "x", "message": .string(sent)]
            return .init(status, "\(body)")
        }
        try await withServer(scripted) { url async throws in
            let access = try KubernetesAccess(endpoint: url, authority: nil, token: Tokens().token)
            try await KubernetesWorld.run(access) { launcher async throws in
                let error = await #expect(throws: PortError.self) {
                    _ = try await launcher.launch(KubernetesWorld.launch())
                }
                var dumped = "\(try #require(error))"
                dump(error, to: &dumped)
                dump(access, to: &dumped)
                #expect(dumped.contains("authorization="))
                #expect(!dumped.contains("hush"))
            }
        }
    }

    @Test(
        "an endpoint that is none is refused without being repeated",
        arguments: [
            "", "k.example", "ftp://k", "https://", "https:///x", "https://u:hush@k", "https://k?x", "https://k k",
        ]
    )
    func endpoint(text: String) throws {
        let error = #expect(throws: JobError.self) {
            _ = try KubernetesAccess(endpoint: text, authority: nil, token: Tokens().token)
        }
        #expect("\(try #require(error))".hasPrefix("kubernetes.endpoint: "))
        #expect(!"\(try #require(error))".contains("hush"))
    }

    @Test("an authority that is none is refused by name")
    func authority() throws {
        let access = try KubernetesAccess(endpoint: "https://k", authority: "no certificate", token: Tokens().token)
        let error = #expect(throws: JobError.self) { _ = try KubernetesJobs(access, namespace: "n") }
        #expect("\(try #require(error))".hasPrefix("kubernetes.authority: "))
    }

    @Test("what became of a launch is its Job's last condition")
    func standing() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            let launch = try KubernetesWorld.launch()
            let name = launch.kubernetesName
            #expect(try await launcher.standing(of: launch) == .gone)
            _ = try await launcher.launch(launch)
            #expect(try await launcher.standing(of: launch) == .running)
            standIn.setStatus(name, in: KubernetesWorld.namespace, ["active": 1, "ready": 0])
            guard case .waiting(let why) = try await launcher.standing(of: launch) else {
                Issue.record("it has no Pod that is up")
                return
            }
            #expect(why.contains("kubectl --namespace \(KubernetesWorld.namespace) describe pods"))
            #expect(why.contains("batch.kubernetes.io/job-name=\(name)"))
            standIn.setStatus(name, in: KubernetesWorld.namespace, ["active": 1, "ready": 1])
            #expect(try await launcher.standing(of: launch) == .running)
            standIn.end(name, in: KubernetesWorld.namespace, "FailureTarget", reason: "PodFailurePolicy")
            #expect(try await launcher.standing(of: launch) == .running)
            standIn.end(name, in: KubernetesWorld.namespace, "Failed", reason: "BackoffLimitExceeded", message: "m")
            #expect(try await launcher.standing(of: launch) == .failed(reason: "BackoffLimitExceeded: m"))
            standIn.end(name, in: KubernetesWorld.namespace, "Failed")
            #expect(try await launcher.standing(of: launch) == .failed(reason: "the cluster gives no reason"))
            standIn.end(name, in: KubernetesWorld.namespace, "Complete")
            #expect(try await launcher.standing(of: launch) == .ended)
            standIn.remove(name, in: KubernetesWorld.namespace)
            #expect(try await launcher.standing(of: launch) == .gone)
        }
    }

    @Test("a launcher that keeps no account says so")
    func unknown() async throws {
        #expect(try await RecordingLauncher().standing(of: KubernetesWorld.launch()) == .unknown)
    }
}
