// The Job of a launch, as the API takes it.
package import SluiceCore

extension Launch {
    /// What its Job is called: the same for the same launch, and a DNS label of at most 63 letters.
    package var kubernetesName: String { "sluice-\(name)" }
}

extension KubernetesJobSpec {
    /// The Job that runs a launch; the same launch makes the same bytes.
    package func manifest(for launch: Launch) -> JSONValue {
        [
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(launch, ["name": .string(launch.kubernetesName), "namespace": .string(namespace)]),
            "spec": [
                "completions": 1,
                "parallelism": 1,
                "backoffLimit": number(backoffLimit),
                "activeDeadlineSeconds": number(activeDeadlineSeconds),
                "ttlSecondsAfterFinished": number(ttlSecondsAfterFinished),
                // Two Pods of one launch would only take slices from each other.
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": Self.failurePolicy,
                "template": ["metadata": metadata(launch, [:]), "spec": .object(pod(launch))],
            ],
        ]
    }

    /// A Pod that a drained node ended is no failure; an exit that another Pod would repeat is one at once.
    ///
    /// The statuses are those of a job that has ended or is paused, of a wrong use and of a wrong configuration.
    private static var failurePolicy: JSONValue {
        [
            "rules": [
                ["action": "Ignore", "onPodConditions": [["type": "DisruptionTarget", "status": "True"]]],
                [
                    "action": "FailJob",
                    "onExitCodes": [
                        "containerName": .string(containerName), "operator": "In", "values": [3, 4, 5, 6, 64, 78],
                    ],
                ],
            ]
        ]
    }

    private static let containerName = "extraction"
    /// The first user that no system has given away: `nobody` of distroless images.
    private static let user = 65_532

    private func metadata(_ launch: Launch, _ names: JSONObject) -> JSONValue {
        var metadata = names
        let ours = KubernetesLabels.labels(of: launch)
        let theirs = labels.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        metadata["labels"] = texts(ours + theirs)
        metadata["annotations"] = texts(KubernetesLabels.annotations(of: launch))
        return .object(metadata)
    }

    private func pod(_ launch: Launch) -> JSONObject {
        var pod: JSONObject = [
            // Each try keeps a Pod of its own, whose log can be read; a failure policy asks for it, too.
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": number(terminationGracePeriodSeconds),
            // An extraction asks nothing of the cluster; its role's token comes in another way.
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": [
                "runAsNonRoot": true,
                "runAsUser": number(Self.user),
                "runAsGroup": number(Self.user),
                // So that the token of the role can be read.
                "fsGroup": number(Self.user),
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "containers": [container(launch)],
            "volumes": [["name": "tmp", "emptyDir": ["sizeLimit": .string(resources.scratch)]]],
        ]
        pod["serviceAccountName"] = serviceAccount.map { .string($0) }
        var selector = nodeSelector.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        if let architecture { selector.append(("kubernetes.io/arch", architecture)) }
        if !selector.isEmpty { pod["nodeSelector"] = texts(selector) }
        return pod
    }

    private func container(_ launch: Launch) -> JSONValue {
        let words = arguments + [launch.job.id.text, "--launch", "\(launch.number)"]
        let plain = environment.map { variable -> JSONValue in
            ["name": .string(variable.name), "value": .string(variable.value)]
        }
        let secret = secrets.map { variable -> JSONValue in
            let reference: JSONValue = ["name": .string(variable.secret), "key": .string(variable.key)]
            return ["name": .string(variable.name), "valueFrom": ["secretKeyRef": reference]]
        }
        var limits: JSONObject = ["memory": .string(resources.memoryLimit)]
        limits["cpu"] = resources.cpuLimit.map { .string($0) }
        return [
            "name": .string(Self.containerName),
            "image": .string(image),
            "command": .array(command.map { .string(Self.unexpanded($0)) }),
            "args": .array(words.map { .string(Self.unexpanded($0)) }),
            "env": .array(plain + secret),
            "resources": [
                "requests": ["cpu": .string(resources.cpuRequest), "memory": .string(resources.memoryRequest)],
                "limits": .object(limits),
            ],
            "securityContext": [
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "capabilities": ["drop": ["ALL"]],
            ],
            "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
        ]
    }

    /// Kubernetes puts variables where a word says `$(NAME)`; `$$(NAME)` is the word itself.
    private static func unexpanded(_ word: String) -> String {
        word.replacing("$(", with: "$$(")
    }

    private func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

    private func texts(_ pairs: [(name: String, value: String)]) -> JSONValue {
        .object(pairs.reduce(into: JSONObject()) { $0[$1.name] = .string($1.value) })
    }
}
