// What a launch's Job says, and what it must not say.
import SluiceCore
import SluiceTestKit
import Testing

@testable import KubernetesDriver

@Suite("The manifest of a launch", .timeLimit(.minutes(10)))
struct ManifestTests {
    private func pod(_ spec: KubernetesJobSpec = KubernetesWorld.spec()) throws -> JSONValue {
        try #require(spec.manifest(for: try KubernetesWorld.launch())["spec"]?["template"]?["spec"])
    }

    private func container(_ spec: KubernetesJobSpec = KubernetesWorld.spec()) throws -> JSONValue {
        try #require(try pod(spec)["containers"]?.arrayValue?.first)
    }

    @Test("the same launch is the same bytes, another number another name")
    func deterministic() throws {
        let spec = KubernetesWorld.spec()
        let launch = try KubernetesWorld.launch()
        #expect(spec.manifest(for: launch).bytes() == spec.manifest(for: launch).bytes())
        #expect(launch.kubernetesName == "sluice-2026-11-21-10-02-03-0000000a-1")
        #expect(try KubernetesWorld.launch(2).kubernetesName != launch.kubernetesName)
    }

    @Test("the name is a DNS label, however many launches there were", arguments: [1, 10, Int.max])
    func names(number: Int) throws {
        let name = try KubernetesWorld.launch(number, digits: "ffffffff").kubernetesName
        #expect(KubernetesLabels.isDNSLabel(name))
        #expect(name.utf8.count <= 63)
    }

    @Test("the command ends with the job's id and the launch")
    func command() throws {
        let container = try container()
        #expect(container["command"] == ["sluice"])
        #expect(container["args"] == ["job", "extract", "2026-11-21-10-02-03-0000000a", "--launch", "1"])
        var spec = KubernetesWorld.spec()
        spec.command = ["/bin/sh", "-c", "echo $(HOME)"]
        #expect(try self.container(spec)["command"] == ["/bin/sh", "-c", "echo $$(HOME)"])
    }

    @Test("the Pod keeps to the restricted standard of Pod security")
    func restricted() throws {
        let pod = try pod()
        let container = try container()
        #expect(pod["securityContext"]?["runAsNonRoot"] == true)
        #expect(pod["securityContext"]?["runAsUser"]?.intValue ?? 0 > 0)
        #expect(pod["securityContext"]?["seccompProfile"] == ["type": "RuntimeDefault"])
        let security = try #require(container["securityContext"])
        #expect(security["allowPrivilegeEscalation"] == false)
        #expect(security["readOnlyRootFilesystem"] == true)
        #expect(security["runAsNonRoot"] == true)
        #expect(security["capabilities"] == ["drop": ["ALL"]])
        #expect(security["privileged"] == nil)
        for name in ["hostNetwork", "hostPID", "hostIPC"] { #expect(pod[name] == nil) }
        for volume in pod["volumes"]?.arrayValue ?? [] { #expect(volume["emptyDir"] != nil) }
        #expect(container["volumeMounts"] == [["name": "tmp", "mountPath": "/tmp"]])
        #expect(pod["automountServiceAccountToken"] == false)
        #expect(pod["serviceAccountName"] == "extraction")
        #expect(pod["restartPolicy"] == "Never")
        #expect(try #require(pod["terminationGracePeriodSeconds"]?.intValue) >= 30)
    }

    @Test("limits in time and number are those of the spec")
    func limits() throws {
        let spec = try #require(KubernetesWorld.spec().manifest(for: try KubernetesWorld.launch())["spec"])
        #expect(spec["backoffLimit"] == 3)
        #expect(spec["ttlSecondsAfterFinished"] == 3600)
        #expect(spec["activeDeadlineSeconds"] == 86_400)
        #expect(spec["parallelism"] == 1)
        let resources = try #require(try container()["resources"])
        #expect(resources["requests"] == ["cpu": "1", "memory": "512Mi"])
        #expect(resources["limits"] == ["memory": "512Mi"])
    }

    @Test("where a Pod may run is asked for if the spec says so")
    func nodes() throws {
        #expect(try pod()["nodeSelector"] == nil)
        var spec = KubernetesWorld.spec()
        spec.nodeSelector = ["pool": "bulk"]
        spec.architecture = "arm64"
        #expect(try pod(spec)["nodeSelector"] == ["pool": "bulk", "kubernetes.io/arch": "arm64"])
    }

    @Test("a secret is a reference to where the cluster keeps it")
    func secrets() throws {
        let variables = try #require(try container()["env"])
        let reference: JSONValue = [
            "name": "SLUICE_ECOMMERCE_API_KEY",
            "valueFrom": ["secretKeyRef": ["name": "ecommerce", "key": "api-key"]],
        ]
        #expect(variables == [["name": "SLUICE_BACKEND", "value": "aws"], reference])
    }

    @Test(
        "a variable that looks like a secret is refused without its value",
        arguments: ["SLUICE_ECOMMERCE_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "db_password"]
    )
    func plainSecrets(name: String) throws {
        var spec = KubernetesWorld.spec()
        spec.secrets = []
        spec.environment = [.init(name, "hush")]
        let checked = spec
        let error = #expect(throws: JobError.self) { try checked.check() }
        #expect("\(try #require(error))".contains(name))
        #expect(!"\(try #require(error))".contains("hush"))
    }

    private static let wrong: [(String, @Sendable (inout KubernetesJobSpec) -> Void)] = [
        ("kubernetes.namespace", { $0.namespace = "Upper" }), ("kubernetes.namespace", { $0.namespace = "a/b" }),
        ("kubernetes.image", { $0.image = "" }), ("kubernetes.command", { $0.command = [] }),
        ("kubernetes.backoff-limit", { $0.backoffLimit = -1 }),
        ("kubernetes.grace", { $0.terminationGracePeriodSeconds = 29 }),
        ("kubernetes.ttl", { $0.ttlSecondsAfterFinished = -1 }),
        ("kubernetes.deadline", { $0.activeDeadlineSeconds = 1 }),
        ("kubernetes.labels", { $0.labels = ["sluice/job": "x"] }), ("kubernetes.labels", { $0.labels = ["a b": "x"] }),
        ("kubernetes.labels", { $0.labels = ["team": "a b"] }),
        ("kubernetes.environment", { $0.environment = [.init("A", "1"), .init("A", "2")] }),
        ("kubernetes.environment", { $0.environment = [.init("A=B", "1")] }),
    ]

    @Test("a spec that Kubernetes would refuse is refused by its field", arguments: wrong.indices)
    func refusals(row: Int) throws {
        let (field, change) = Self.wrong[row]
        var spec = KubernetesWorld.spec()
        change(&spec)
        let changed = spec
        let error = #expect(throws: JobError.self) { try changed.check() }
        #expect("\(try #require(error))".hasPrefix("\(field): "))
    }

    @Test("labels hold what may be in one, annotations the exact texts")
    func labels() throws {
        var spec = KubernetesWorld.spec()
        spec.labels = ["team": "search"]
        let account = "acme corp/é"
        let job = spec.manifest(for: try KubernetesWorld.launch(account: account))
        for metadata in [job["metadata"], job["spec"]?["template"]?["metadata"]] {
            let labels = try #require(metadata?["labels"]?.objectValue)
            for label in labels.members {
                #expect(KubernetesLabels.isName(label.name))
                #expect(KubernetesLabels.isValue(label.value.stringValue ?? " "))
            }
            #expect(labels["sluice/account"]?.stringValue?.hasPrefix("acme-corp-") == true)
            #expect(labels["sluice/job"] == "2026-11-21-10-02-03-0000000a")
            #expect(labels["team"] == "search")
            #expect(metadata?["annotations"]?["sluice/account"]?.stringValue == account)
            #expect(metadata?["annotations"]?["sluice/index"] == "products")
        }
        let annotations = job["metadata"]?["annotations"]
        #expect(KubernetesLabels.launch(of: annotations) == (try KubernetesWorld.launch(account: account)))
    }

    @Test(
        "a label's value stays as it is only if it is one",
        arguments: [
            ("acme", "acme"), ("", ""), ("A.b_c-1", "A.b_c-1"), (String(repeating: "a", count: 63), nil),
            (String(repeating: "a", count: 64), "*"), ("-acme-", "*"), ("a/b", "*"), ("é", "*"), ("...", "*"),
            (" ", "*"),
        ] as [(String, String?)]
    )
    func values(text: String, expected: String?) {
        let value = KubernetesLabels.value(text)
        #expect(KubernetesLabels.isValue(value))
        if expected == "*" { #expect(value != text) } else { #expect(value == expected ?? text) }
    }

    @Test("two texts that lose their difference do not become one value")
    func distinct() {
        let texts = [
            "a/b", "a b", "a-b", "é", "è", "/", "//", String(repeating: "x", count: 64),
            String(repeating: "x", count: 65),
        ]
        #expect(Set(texts.map { KubernetesLabels.value($0) }).count == texts.count)
    }

    @Test(
        "annotations that were changed tell of no launch",
        arguments: ["sluice/job", "sluice/launch", "sluice/account"]
    )
    func changedAnnotations(name: String) throws {
        var annotations = JSONObject()
        for (name, value) in KubernetesLabels.annotations(of: try KubernetesWorld.launch()) {
            annotations[name] = .string(value)
        }
        annotations[name] = name == "sluice/account" ? nil : "changed"
        #expect(KubernetesLabels.launch(of: .object(annotations)) == nil)
    }

    @Test("kubernetes-validate takes every form of it, strictly; it would not take any")
    func validated() async throws {
        var full = KubernetesWorld.spec()
        full.labels = ["team": "search"]
        full.nodeSelector = ["pool": "bulk"]
        full.architecture = "arm64"
        full.resources.cpuLimit = "2"
        var bare = KubernetesJobSpec(namespace: "n", image: "i")
        bare.command = ["x"]
        for spec in [KubernetesWorld.spec(), full, bare] {
            let manifest = spec.manifest(for: try KubernetesWorld.launch(account: "acme corp"))
            let outcome = try await Self.validate(manifest)
            #expect(outcome.status == 0, "\(outcome.output)")
        }
        var wrong = try #require(KubernetesWorld.spec().manifest(for: try KubernetesWorld.launch()).objectValue)
        wrong["speck"] = [:]
        let outcome = try await Self.validate(.object(wrong))
        #expect(outcome.status != 0)
        #expect(outcome.output.contains("speck"))
    }

    private static func validate(_ manifest: JSONValue) async throws -> ProgramEnd {
        try await runTool(["kubernetes-validate", "--strict"], file: manifest.bytes())
    }
}
