// The fields that a Job may have, as strict decoding of the API knows them.
import SluiceCore

/// What a field may hold.
indirect enum KubernetesShape: Sendable {
    case text, integer, boolean
    /// Not looked into: what our Jobs never have.
    case anything
    case map
    case list(KubernetesShape)
    case object([String: KubernetesShape])

    /// Checks what was sent as a Job.
    ///
    /// - Returns: the Job without the fields that the API does not know, and their paths.
    /// - Throws: 400 for a value of the wrong kind; with `isStrict` for an unknown field, too.
    static func job(_ sent: JSONValue, isStrict: Bool) throws(KubernetesStatus) -> (JSONObject, [String]) {
        var unknown: [String] = []
        let job = try KubernetesShape.object(jobFields).fit(sent, at: "", &unknown)
        if isStrict, !unknown.isEmpty {
            let fields = unknown.map { #"unknown field "\#($0)""# }.joined(separator: ", ")
            throw wrong("strict decoding error: \(fields)")
        }
        guard let object = job.objectValue else { throw wrong("it is no object") }
        return (object, unknown)
    }

    private static func wrong(_ problem: String) -> KubernetesStatus {
        KubernetesStatus(400, "BadRequest", #"Job in version "v1" cannot be handled as a Job: \#(problem)"#)
    }

    private func fit(_ value: JSONValue, at path: String, _ unknown: inout [String]) throws(KubernetesStatus)
        -> JSONValue
    {
        if value.isNull { return value }
        switch (self, value) {
        case (.anything, _), (.text, .string), (.boolean, .bool):
            return value
        case (.integer, .number) where value.intValue != nil:
            return value
        case (.map, .object(let object)) where object.members.allSatisfy({ $0.value.stringValue != nil }):
            return value
        case (.list(let shape), .array(let elements)):
            var fitted: [JSONValue] = []
            for (place, element) in elements.enumerated() {
                fitted.append(try shape.fit(element, at: "\(path)[\(place)]", &unknown))
            }
            return .array(fitted)
        case (.object(let fields), .object(let object)):
            var fitted = JSONObject()
            for member in object.members {
                let path = path.isEmpty ? member.name : "\(path).\(member.name)"
                guard let shape = fields[member.name] else {
                    unknown.append(path)
                    continue
                }
                fitted[member.name] = try shape.fit(member.value, at: path, &unknown)
            }
            return .object(fitted)
        default:
            throw Self.wrong(
                "json: cannot unmarshal the value of \(path.isEmpty ? "the body" : path) (\(self.word) is wanted)"
            )
        }
    }

    private var word: String {
        switch self {
        case .text: "string"
        case .integer: "int32"
        case .boolean: "bool"
        case .anything: "any"
        case .map: "map[string]string"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension KubernetesShape {
    /// Names whose values are not looked into.
    private static func opaque(_ names: String) -> [String: KubernetesShape] {
        Dictionary(uniqueKeysWithValues: names.split(separator: " ").map { (String($0), .anything) })
    }

    private static func fields(_ known: [String: KubernetesShape], _ opaqueNames: String = "") -> [String:
        KubernetesShape]
    {
        known.merging(opaque(opaqueNames)) { known, _ in known }
    }

    private static let jobFields = fields([
        "apiVersion": .text, "kind": .text, "metadata": .object(metadata), "spec": .object(spec), "status": .anything,
    ])

    private static let metadata = fields(
        ["name": .text, "generateName": .text, "namespace": .text, "labels": .map, "annotations": .map],
        "finalizers ownerReferences uid resourceVersion generation creationTimestamp deletionTimestamp "
            + "deletionGracePeriodSeconds managedFields selfLink"
    )

    private static let spec = fields(
        [
            "parallelism": .integer, "completions": .integer, "activeDeadlineSeconds": .integer,
            "backoffLimit": .integer, "ttlSecondsAfterFinished": .integer, "podReplacementPolicy": .text,
            "completionMode": .text, "suspend": .boolean,
            "podFailurePolicy": .object(["rules": .list(.object(failureRule))]),
            "template": .object(["metadata": .object(metadata), "spec": .object(pod)]),
        ],
        "backoffLimitPerIndex maxFailedIndexes selector manualSelector successPolicy managedBy"
    )

    private static let failureRule: [String: KubernetesShape] = [
        "action": .text,
        "onExitCodes": .object(["containerName": .text, "operator": .text, "values": .list(.integer)]),
        "onPodConditions": .list(.object(["type": .text, "status": .text])),
    ]

    private static let pod = fields(
        [
            "volumes": .list(.object(volume)), "containers": .list(.object(container)), "restartPolicy": .text,
            "terminationGracePeriodSeconds": .integer, "activeDeadlineSeconds": .integer, "nodeSelector": .map,
            "serviceAccountName": .text, "automountServiceAccountToken": .boolean, "enableServiceLinks": .boolean,
            "securityContext": .object(podSecurity), "hostNetwork": .boolean, "hostPID": .boolean, "hostIPC": .boolean,
        ],
        "initContainers ephemeralContainers dnsPolicy serviceAccount nodeName shareProcessNamespace imagePullSecrets "
            + "hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig "
            + "readinessGates runtimeClassName preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os "
            + "hostUsers schedulingGates resourceClaims resources"
    )

    private static let podSecurity = fields(
        [
            "runAsUser": .integer, "runAsGroup": .integer, "runAsNonRoot": .boolean, "fsGroup": .integer,
            "seccompProfile": .object(["type": .text, "localhostProfile": .text]),
        ],
        "seLinuxOptions windowsOptions supplementalGroups supplementalGroupsPolicy sysctls fsGroupChangePolicy "
            + "appArmorProfile seLinuxChangePolicy"
    )

    private static let container = fields(
        [
            "name": .text, "image": .text, "command": .list(.text), "args": .list(.text), "workingDir": .text,
            "env": .list(.object(variable)), "imagePullPolicy": .text,
            "resources": .object(["limits": .map, "requests": .map, "claims": .anything]),
            "volumeMounts": .list(.object(mount)), "securityContext": .object(containerSecurity),
        ],
        "ports envFrom resizePolicy restartPolicy volumeDevices livenessProbe readinessProbe startupProbe lifecycle "
            + "terminationMessagePath terminationMessagePolicy stdin stdinOnce tty"
    )

    private static let variable: [String: KubernetesShape] = [
        "name": .text, "value": .text,
        "valueFrom": .object([
            "secretKeyRef": .object(["name": .text, "key": .text, "optional": .boolean]),
            "configMapKeyRef": .anything, "fieldRef": .anything, "resourceFieldRef": .anything,
        ]),
    ]

    private static let containerSecurity = fields(
        [
            "allowPrivilegeEscalation": .boolean, "readOnlyRootFilesystem": .boolean, "runAsNonRoot": .boolean,
            "runAsUser": .integer, "runAsGroup": .integer, "privileged": .boolean,
            "capabilities": .object(["add": .list(.text), "drop": .list(.text)]),
            "seccompProfile": .object(["type": .text, "localhostProfile": .text]),
        ],
        "seLinuxOptions windowsOptions procMount appArmorProfile"
    )

    private static let mount: [String: KubernetesShape] = [
        "name": .text, "mountPath": .text, "readOnly": .boolean, "subPath": .text, "subPathExpr": .text,
        "mountPropagation": .text, "recursiveReadOnly": .text,
    ]

    private static let volume = fields(
        ["name": .text, "emptyDir": .object(["medium": .text, "sizeLimit": .text])],
        "configMap secret projected persistentVolumeClaim hostPath downwardAPI csi ephemeral nfs image"
    )
}
