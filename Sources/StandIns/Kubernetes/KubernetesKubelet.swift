// Runs the commands of Jobs as processes of this machine.
import ServiceLifecycle
import SluiceCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What a cluster does with a Job, as far as its first container's command goes.
///
/// It starts a process for a Job, again while its failures are within the Job's limit and its failure policy allows it, and
/// writes into the Job's status how it went. A removed Job's process is told to end, and killed when its grace is over. There
/// is no image, no isolation and no limit of resources: the command runs as whoever runs the stand-in.
package final class KubernetesKubelet: Service {
    package struct Options: Sendable {
        /// Variables of every process, below those of its container.
        package var environment: [String: String] = [:]
        /// Values of Secrets by name, the same in every namespace.
        package var secrets: [String: [String: String]] = [:]
        /// What is started for a container's first word.
        package var program: @Sendable (String) -> String = { $0 }
        /// The descriptor that the processes write to; nil for nowhere.
        package var output: Int32?
        /// Between two tries of a Job.
        package var restartDelay: Duration = .zero

        package init() {}
    }

    let standIn: KubernetesStandIn
    private let options: Options
    private let begun = Mutex<Set<String>>([])
    private let running = Mutex<[String: pid_t]>([:])

    package init(_ standIn: KubernetesStandIn, _ options: Options = Options()) {
        self.standIn = standIn
        self.options = options
    }

    /// The processes at the moment, by their Jobs' names.
    package var processes: [String: Int32] { running.withLock { $0 } }

    /// Runs Jobs until it is stopped; then their processes are killed.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                let (bell, rings) = standIn.store.withLock { $0.addBell() }
                defer { standIn.store.withLock { $0.removeBell(bell) } }
                for await _ in rings {
                    for pod in newPods() { group.addTask { [self] in await run(pod) } }
                }
                group.cancelAll()
            }
        }
    }

    /// Runs Jobs while the body runs.
    package func whileRunning<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in try await run() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func newPods() -> [KubernetesPod] {
        let jobs = standIn.store.withLock { $0.jobs.values.map(\.self) }
        let pods = jobs.compactMap { KubernetesPod($0, secrets: options.secrets) }
        return begun.withLock { begun in pods.filter { begun.insert($0.uid).inserted } }
    }

    private func run(_ pod: KubernetesPod) async {
        let clock = standIn.clock
        let deadline = pod.activeDeadline.map { clock.now.advanced(by: $0) }
        let began = KubernetesStore.time(clock.now)
        set(pod) { $0 = ["startTime": .string(began), "active": 1, "ready": 0] }
        guard let end = await work(pod, until: deadline) else { return }
        let ended = KubernetesStore.time(clock.now)
        set(pod) { end.write(into: &$0, at: ended) }
        guard let life = pod.timeToLive else { return }
        // Cut short by a stop, after which there is nothing to tidy.
        guard (try? await clock.sleep(until: clock.now.advanced(by: life), tolerance: nil)) != nil else { return }
        standIn.store.withLock { _ = $0.remove(pod.key, uid: pod.uid) }
    }

    private func set(_ pod: KubernetesPod, _ change: (inout JSONObject) -> Void) {
        standIn.store.withLock { $0.update(pod.key, uid: pod.uid, change) }
    }

    /// Tries until the Job has ended; nil if it was removed, or if all is to stop.
    private func work(_ pod: KubernetesPod, until deadline: Timestamp?) async -> KubernetesEnd? {
        var failures = 0
        while true {
            let outcome = await runOnce(pod, until: deadline)
            if case .ended(0) = outcome { return KubernetesEnd(.succeeded, failures) }
            switch outcome {
            case .stopped: return nil
            case .late: return KubernetesEnd(.deadline, failures + 1)
            case .ended(let status):
                failures += 1
                if pod.isFinal(status) { return KubernetesEnd(.policy(status), failures) }
                if failures > pod.backoffLimit { return KubernetesEnd(.limit, failures) }
            }
            set(pod) { $0["failed"] = .number(JSONNumber(failures)) }
            let next = standIn.clock.now.advanced(by: options.restartDelay)
            // Cut short by a stop, which the next try finds.
            try? await standIn.clock.sleep(until: next, tolerance: nil)
        }
    }

    private enum Outcome {
        case ended(Int32)
        /// The Job is gone, or the stand-in stops.
        case stopped
        /// The Job's deadline is over.
        case late

        /// Whether the process had not ended by itself.
        var isEarly: Bool {
            if case .ended = self { false } else { true }
        }
    }

    private enum Turn {
        case ended(Int32)
        case removed
        case late
        case graceOver
        case nothing
    }

    private func runOnce(_ pod: KubernetesPod, until deadline: Timestamp?) async -> Outcome {
        let process = start(pod)
        defer {
            running.withLock { $0[pod.key.name] = nil }
            standIn.store.withLock { $0.ring() }
        }
        return await withTaskGroup(of: Turn.self) { group in
            switch process {
            case .running(let process): group.addTask { .ended(await process.end()) }
            case .failed: group.addTask { .ended(127) }
            case .waiting: break
            }
            group.addTask { [self] in await removal(of: pod) }
            if let deadline { group.addTask { [self] in await sleep(until: deadline, .late) } }
            let outcome = await first(in: &group)
            if case .running(let process) = process, outcome.isEarly { await end(process, pod.grace, &group) }
            group.cancelAll()
            return outcome
        }
    }

    private func first(in group: inout TaskGroup<Turn>) async -> Outcome {
        while let turn = await group.next() {
            switch turn {
            case .ended(let status): return .ended(status)
            case .removed: return .stopped
            case .late: return .late
            case .graceOver, .nothing: continue
            }
        }
        return .stopped
    }

    /// Tells a process to end, kills it when its grace is over or all is to stop, and waits until it has ended.
    private func end(_ process: LocalProcess, _ grace: Duration, _ group: inout TaskGroup<Turn>) async {
        process.signal(Task.isCancelled ? SIGKILL : SIGTERM)
        let graceEnd = standIn.clock.now.advanced(by: grace)
        group.addTask { [self] in await sleep(until: graceEnd, .graceOver) }
        while let turn = await group.next() {
            if case .ended = turn { return }
            if case .graceOver = turn { process.signal(SIGKILL) }
            if Task.isCancelled { process.signal(SIGKILL) }
        }
    }

    private enum Start {
        case running(LocalProcess)
        case failed
        case waiting
    }

    private func start(_ pod: KubernetesPod) -> Start {
        guard pod.missingSecret == nil else { return .waiting }
        var words = pod.words
        words[0] = options.program(words[0])
        let environment = options.environment.merging(pod.environment) { _, own in own }
        let nowhere = options.output == nil ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1
        defer { if nowhere >= 0 { close(nowhere) } }
        do {
            let process = try LocalProcess(words, environment: environment, output: options.output ?? nowhere)
            running.withLock { $0[pod.key.name] = process.id }
            set(pod) { $0["ready"] = 1 }
            return .running(process)
        } catch {
            let line = Array("\(pod.key.name): \(error.description)\n".utf8)
            // Who reads nothing of the processes reads nothing of this either.
            if let output = options.output { _ = write(output, line, line.count) }
            return .failed
        }
    }

    /// Returns when the Job is gone or all is to stop.
    private func removal(of pod: KubernetesPod) async -> Turn {
        let (bell, rings) = standIn.store.withLock { $0.addBell() }
        defer { standIn.store.withLock { $0.removeBell(bell) } }
        for await _ in rings {
            let uid = standIn.store.withLock { $0.jobs[pod.key]?["metadata"]?["uid"]?.stringValue }
            if uid != pod.uid { return .removed }
        }
        return .removed
    }

    private func sleep(until deadline: Timestamp, _ turn: Turn) async -> Turn {
        (try? await standIn.clock.sleep(until: deadline, tolerance: nil)) == nil ? .nothing : turn
    }
}
