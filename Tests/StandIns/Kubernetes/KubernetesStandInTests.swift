// Tries the stand-in of Kubernetes: what it takes, what it refuses, and what it tells.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("The stand-in of Kubernetes", .serialized, .timeLimit(.minutes(10)))
struct KubernetesStandInTests {
    @Test("a Job is created once, read, listed and deleted")
    func life() async throws {
        try await KubernetesTalk.with { _, talk async throws in
            let created = try await talk.create(KubernetesTalk.job())
            #expect(created.status == 201)
            #expect(created.json?["metadata"]?["uid"]?.stringValue?.isEmpty == false)
            let again = try await talk.create(KubernetesTalk.job())
            #expect(again.status == 409)
            #expect(again.json?["reason"] == "AlreadyExists")
            let read = try await talk.ask("GET", "/j")
            #expect(read.json == created.json)
            let list = try await talk.ask("GET", "?labelSelector=app%3Da")
            #expect(list.json?["items"] == [try #require(created.json)])
            #expect(list.json?["metadata"]?["resourceVersion"] == created.json?["metadata"]?["resourceVersion"])
            #expect(try await talk.ask("GET", "?labelSelector=app%3Db").json?["items"] == [])
            #expect(try await talk.ask("DELETE", "/j").status == 200)
            let gone = try await talk.ask("GET", "/j")
            #expect(gone.status == 404)
            #expect(gone.json?["reason"] == "NotFound")
            #expect(try await talk.ask("DELETE", "/j").status == 404)
        }
    }

    private static let pod = ["spec", "template", "spec"]
    private static let container = pod + ["containers", "0"]

    @Test(
        "an unknown field or a value of the wrong kind is 400, at whatever depth",
        arguments: [
            (["speck"], "unknown field"), (["metadata", "label"], "unknown field"),
            (["spec", "backoffLimits"], "unknown field"), (pod + ["restart"], "unknown field"),
            (container + ["imagePolicy"], "unknown field"), (container + ["securityContext"], "unknown field"),
            (pod + ["securityContext"], "unknown field"),
        ]
    )
    func unknownFields(path: [String], words: String) async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            let job = KubernetesTalk.job().setting(path, ["never": "heard of"])
            let answer = try await talk.create(job)
            #expect(answer.status == 400)
            #expect(answer.json?["message"]?.stringValue?.contains(words) == true)
            #expect(standIn.jobs(in: "n").isEmpty)
            // Who does not ask for strictness gets a warning, and the Job without the field.
            let lax = try await talk.create(job, strictly: false)
            #expect(lax.status == 201)
            #expect(lax.header("Warning")?.contains("unknown field") == true)
            #expect(!lax.body.contains("heard of"))
        }
    }

    @Test(
        "what can't be decoded is 400",
        arguments: [
            (["spec", "backoffLimit"], "3"), (["spec"], 1), (container + ["command"], "sh"),
            (["metadata", "labels"], ["a": 1]), (["apiVersion"], "v1"), (["kind"], "CronJob"),
            (["metadata", "namespace"], "other"),
        ] as [([String], JSONValue)]
    )
    func undecodable(path: [String], value: JSONValue) async throws {
        try await KubernetesTalk.with { _, talk async throws in
            let answer = try await talk.create(KubernetesTalk.job().setting(path, value))
            #expect(answer.status == 400)
            #expect(answer.json?["reason"] == "BadRequest")
        }
    }

    @Test(
        "what may not be is 422, with the field",
        arguments: [
            (["metadata", "name"], "Upper", "metadata.name"), (["metadata", "name"], nil, "metadata.name"),
            (["metadata", "name"], .string(String(repeating: "a", count: 64)), "metadata.name"),
            (["metadata", "labels"], ["a b": "x"], "metadata.labels"),
            (["metadata", "labels"], ["a": "x y"], "metadata.labels"),
            (["spec", "template"], nil, "containers"), (["spec", "backoffLimit"], -1, "backoffLimit"),
            (pod + ["restartPolicy"], "Always", "restartPolicy"), (pod + ["restartPolicy"], nil, "restartPolicy"),
            (pod + ["containers"], [], "containers"), (container + ["image"], nil, "image"),
            (container + ["volumeMounts"], [["name": "v", "mountPath": "/v"]], "volumeMounts"),
            (container + ["resources"], ["limits": ["memory": "much"]], "resources"),
            (container + ["env"], [["value": "x"]], "env"),
        ] as [([String], JSONValue?, String)]
    )
    func invalid(path: [String], value: JSONValue?, field: String) async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            let answer = try await talk.create(KubernetesTalk.job().setting(path, value))
            #expect(answer.status == 422, "\(answer.body)")
            #expect(answer.json?["reason"] == "Invalid")
            #expect(answer.json?["message"]?.stringValue?.contains(field) == true)
            #expect(standIn.jobs(in: "n").isEmpty)
        }
    }

    @Test("a token that is not taken is 401, a namespace that is not there 404, a path that is none too")
    func refusals() async throws {
        let standIn = KubernetesStandIn(namespaces: ["n"], clock: ManualClock()) { $0 == "good" }
        try await KubernetesTalk.with(standIn) { _, talk async throws in
            #expect(try await talk.ask("GET").status == 401)
            #expect(try await talk.ask("GET", token: "bad").status == 401)
            #expect(try await talk.ask("GET", token: "good").status == 200)
            #expect(try await talk.ask("PATCH", "/j", token: "good").status == 404)
        }
        try await KubernetesTalk.with(KubernetesStandIn(namespaces: ["m"], clock: ManualClock())) {
            _,
            talk async throws in
            #expect(try await talk.create(KubernetesTalk.job()).status == 404)
        }
    }

    @Test("an answer can be any status by plan", arguments: [401, 403, 409, 422, 429, 500, 503])
    func faults(status: Int) async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            standIn.faults.script(.status(status, retryAfter: 3), of: .create)
            let answer = try await talk.create(KubernetesTalk.job())
            #expect(answer.status == status)
            #expect(answer.json?["kind"] == "Status")
            #expect(answer.json?["code"]?.intValue == status)
            #expect(answer.header("Retry-After") == "3")
            #expect(try await talk.create(KubernetesTalk.job()).status == 201)
        }
    }

    @Test("a list comes in pages of one version, until it is forgotten")
    func pages() async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            for name in ["a", "b", "c"] { _ = try await talk.create(KubernetesTalk.job(name)) }
            let first = try #require(try await talk.ask("GET", "?limit=2").json)
            let token = try #require(first["metadata"]?["continue"]?.stringValue)
            _ = try await talk.create(KubernetesTalk.job("d"))
            let second = try #require(try await talk.ask("GET", "?limit=2&continue=\(token)").json)
            #expect(second["items"]?.arrayValue?.map { $0["metadata"]?["name"] } == ["c"])
            #expect(second["metadata"]?["continue"] == nil)
            #expect(second["metadata"]?["resourceVersion"] == first["metadata"]?["resourceVersion"])
            standIn.compact()
            #expect(try await talk.ask("GET", "?limit=2&continue=\(token)").status == 410)
        }
    }

    @Test("a watch tells what happened behind a version, and then what happens")
    func watch() async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            let first = try #require(try await talk.create(KubernetesTalk.job("a")).json)
            let version = try #require(first["metadata"]?["resourceVersion"]?.stringValue)
            _ = try await talk.create(KubernetesTalk.job("b"))
            standIn.end("a", in: "n", "Complete")
            standIn.remove("a", in: "n")
            standIn.faults.script(.watchEnds(.inOrder, afterEvents: 4), of: .watch)
            async let told = talk.watch("resourceVersion=\(version)")
            try await standIn.wait { standIn.watcherCount == 2 }
            _ = try await talk.create(KubernetesTalk.job("c"))
            #expect(try await told == ["ADDED b", "MODIFIED a", "DELETED a", "ADDED c"])
            standIn.compact()
            #expect(try await talk.ask("GET", "?watch=true&resourceVersion=\(version)").status == 410)
        }
    }

    @Test("a watch ends when its time is over, and tells no bookmark unless it is to")
    func time() async throws {
        let clock = ManualClock()
        try await KubernetesTalk.with(KubernetesStandIn(clock: clock)) { standIn, talk async throws in
            async let told = talk.watch("timeoutSeconds=5")
            try await clock.sleepers(atLeast: 1)
            standIn.bookmark()
            _ = try await talk.create(KubernetesTalk.job("a"))
            clock.advance(by: .seconds(5))
            #expect(try await told == ["ADDED a"])
        }
    }

    @Test(
        "a watch ends as the fault says",
        arguments: [
            (KubernetesFault.WatchEnd.inOrder, ["ADDED a"]), (.hangUp, ["ADDED a"]), (.halfLine, ["ADDED a"]),
            (.gone, ["ADDED a", "ERROR 410"]), (.error, ["ADDED a", "ERROR 500"]), (.nonsense, ["ADDED a"]),
        ]
    )
    func ends(end: KubernetesFault.WatchEnd, told: [String]) async throws {
        try await KubernetesTalk.with { standIn, talk async throws in
            for name in ["a", "b"] { _ = try await talk.create(KubernetesTalk.job(name)) }
            standIn.faults.script(.watchEnds(end, afterEvents: 1), of: .watch)
            #expect(try await talk.watch("resourceVersion=100") == told)
        }
    }
}
