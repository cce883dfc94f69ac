// Looks after the Jobs of a namespace: one, all, and how they change.
package import HTTPDriver
package import SluiceCore

/// Our Jobs of one namespace.
package struct KubernetesJobs: Sendable {
    let client: KubernetesClient
    let namespace: String
    private let pageSize: Int
    let random: any RandomSource
    let notice: @Sendable (String) -> Void

    /// How often a list begins again because its next page was forgotten meanwhile.
    private static let listTriesMax = 5

    /// - Parameters:
    ///   - access: the cluster.
    ///   - namespace: where the Jobs are.
    ///   - pageSize: Jobs on one page of a list, of a few kilobytes each.
    ///   - options: time-outs and connections; the authority is added to them.
    ///   - clock: what waiting is done by.
    ///   - random: spreads retries.
    ///   - notice: told why `follow` has to try again; for a log.
    /// - Throws: `JobError.field` if namespace or authority can't be used.
    package init(
        _ access: KubernetesAccess,
        namespace: String,
        pageSize: Int = 500,
        options: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource(),
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(JobError) {
        guard KubernetesLabels.isDNSLabel(namespace) else {
            throw .field("kubernetes.namespace", "\"\(namespace)\" is no namespace's name")
        }
        client = try KubernetesClient(access, options: options, clock: clock)
        self.namespace = namespace
        self.pageSize = pageSize
        self.random = random
        self.notice = notice
    }

    /// Closes all connections; whoever follows gets an error.
    package func shutdown() async {
        await client.shutdown()
    }

    /// Where a launch's Job stands.
    package func state(of launch: Launch) async throws(PortError) -> KubernetesJobState {
        var call = KubernetesCall(.get, in: namespace)
        call.name = launch.kubernetesName
        do {
            return try Self.job(try await client.send(call), call).state
        } catch {
            guard let refusal = error.cause as? KubernetesRefusal, refusal.isAbsence else { throw error }
            return .missing
        }
    }

    /// All Jobs of ours, page by page as one consistent list.
    package func list() async throws(PortError) -> [KubernetesJob] {
        try await listing().jobs
    }

    /// All Jobs of ours, and the version that they were all seen at.
    func listing() async throws(PortError) -> (jobs: [KubernetesJob], version: String) {
        var tries = 1
        while true {
            do {
                return try await listOnce()
            } catch {
                // The list was so long under way that the rest of it is no longer kept.
                guard let refusal = error.cause as? KubernetesRefusal, refusal.isGone, tries < Self.listTriesMax else {
                    throw error
                }
                tries += 1
            }
        }
    }

    private func listOnce() async throws(PortError) -> (jobs: [KubernetesJob], version: String) {
        var jobs: [KubernetesJob] = []
        var next: String?
        while true {
            var call = KubernetesCall(.list, in: namespace)
            call.query = [("labelSelector", KubernetesLabels.selector), ("limit", "\(pageSize)")]
            if let next { call.query.append(("continue", next)) }
            let page = try await client.send(call)
            guard let items = page["items"]?.arrayValue,
                let version = page["metadata"]?["resourceVersion"]?.stringValue
            else { throw Self.senseless("no list", call) }
            for item in items { jobs.append(try Self.job(item, call)) }
            guard let token = page["metadata"]?["continue"]?.stringValue, !token.isEmpty else { return (jobs, version) }
            next = token
        }
    }

    private static func job(_ object: JSONValue, _ call: KubernetesCall) throws(PortError) -> KubernetesJob {
        guard let job = KubernetesJob(object) else { throw senseless("no job with a name, uid and version", call) }
        return job
    }

    static func senseless(_ what: String, _ call: KubernetesCall) -> PortError {
        PortError(.unavailable, "Kubernetes was to \(call.words), and its answer holds \(what)")
    }
}
