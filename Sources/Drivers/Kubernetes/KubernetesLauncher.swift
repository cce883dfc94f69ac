// Starts extractions as Jobs.
package import SluiceCore

/// A launch is a Job named for it, so that the same launch is the same Job, whoever asks and however often.
package struct KubernetesLauncher: Launcher {
    private let spec: KubernetesJobSpec
    /// The Jobs that it starts, to be followed.
    package let jobs: KubernetesJobs

    /// - Parameters:
    ///   - jobs: the cluster and namespace.
    ///   - spec: what the Jobs are like.
    /// - Throws: `JobError.field` if Kubernetes would refuse such Jobs, or if they would show a secret.
    package init(_ jobs: KubernetesJobs, _ spec: KubernetesJobSpec) throws(JobError) {
        try spec.check()
        guard spec.namespace == jobs.namespace else {
            throw .field(
                "kubernetes.namespace",
                "the Jobs' is \(spec.namespace), and \(jobs.namespace) is looked after"
            )
        }
        self.spec = spec
        self.jobs = jobs
    }

    /// Creates the launch's Job, unless there is one.
    ///
    /// After an unknown outcome, such as a time-out, asking again finds what the first time came to. A Job that is tidied
    /// away after its end would be created anew by a launch of the same number; epochs keep that from doing harm.
    ///
    /// - Throws: `.invalidRequest` with the words of the API if it does not take the manifest; `.unauthorized` if it does not
    ///   know us, or if our role lacks the verb that the message names; `.throttled` and `.unavailable` if it may later, with
    ///   the wait that it asks for in the cause, a `KubernetesRefusal`.
    package func launch(_ launch: Launch) async throws(PortError) -> Bool {
        var call = KubernetesCall(.create, in: spec.namespace)
        call.query = [("fieldManager", "sluice"), ("fieldValidation", "Strict")]
        call.body = spec.manifest(for: launch)
        do {
            _ = try await jobs.client.send(call)
            return true
        } catch {
            guard let refusal = error.cause as? KubernetesRefusal, refusal.isAlreadyThere else { throw error }
            return false
        }
    }

    /// Which of the reasons it is, only its Pods tell, and those we have no business with.
    private static func hint(_ launch: Launch, _ namespace: String) -> String {
        let selector = "batch.kubernetes.io/job-name=\(launch.kubernetesName)"
        return "there is no room for its Pod, or its image or a Secret can't be had; look with "
            + "`kubectl --namespace \(namespace) describe pods --selector \(selector)`"
    }

    package func standing(of launch: Launch) async throws(PortError) -> LaunchStanding {
        switch try await jobs.state(of: launch) {
        case .running: .running
        case .waiting: .waiting(reason: Self.hint(launch, spec.namespace))
        case .succeeded: .ended
        case .failed(let reason): .failed(reason: reason)
        case .missing: .gone
        }
    }
}
