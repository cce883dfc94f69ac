// Follows the Jobs of a namespace: lists them, then watches from there, again and again.
import SluiceCore

extension KubernetesJobs {
    /// The longest wait between two tries.
    private static let waitMax: Duration = .seconds(60)
    private static let waitFirst: Duration = .milliseconds(500)
    /// A watch that told nothing is begun again at once if it lasted this long.
    private static let watchWorthwhile: Duration = .seconds(10)

    /// Tells of every Job of ours, and then of every change, until the caller is cancelled.
    ///
    /// A connection that drops, an API that is down for however long, a watch that the server ends: it goes on from where it
    /// was. What the server has forgotten meanwhile is found by listing all Jobs again; a Job that vanished unseen is told
    /// then. A change may be told late, and only the last of several, but each Job's last state is told in the end, and the
    /// same state not twice in a row.
    ///
    /// - Parameter onChange: told of one change after the other; nothing more is read while it works.
    /// - Throws: what `onChange` throws; a `PortError` if the API refuses us in a way that time does not mend, such as a
    ///   second 401 in a row or a verb that our role lacks.
    package func follow(_ onChange: (KubernetesJobChange) async throws -> Void) async throws {
        var view = JobView()
        var failures = 0
        while !Task.isCancelled {
            let began = client.clock.now
            var hasTold = false
            var wait: Duration?
            do {
                if view.version == nil {
                    let (jobs, version) = try await listing()
                    for change in view.list(jobs, version: version) { try await Self.tell(change, onChange) }
                }
                try await watch(&view) { change in
                    hasTold = true
                    if let change { try await Self.tell(change, onChange) }
                }
                let isWorthwhile = began.duration(to: client.clock.now) >= Self.watchWorthwhile
                failures = hasTold || isWorthwhile ? 0 : failures + 1
            } catch let error as ListenerFailure {
                throw error.cause
            } catch {
                if Task.isCancelled { return }
                guard let error = error as? PortError, error.isRetryable else { throw error }
                let refusal = error.cause as? KubernetesRefusal
                failures = hasTold ? 1 : failures + 1
                if let refusal, refusal.isGone { view.forgetVersion() }
                wait = refusal?.retryAfter
                notice("following Jobs goes on after a failure: \(error)")
                // Listing again is what the server wants; only if that leads nowhere there is nothing to hurry for.
                if let refusal, refusal.isGone, failures == 1 { continue }
            }
            guard failures > 0 else { continue }
            await pause(max(wait ?? .zero, delay(failures)))
        }
    }

    /// One watch, from the view's version; told of every event, with the change if it was one.
    private func watch(_ view: inout JobView, _ onEvent: (KubernetesJobChange?) async throws -> Void) async throws {
        var call = KubernetesCall(.watch, in: namespace)
        call.query = [
            ("labelSelector", KubernetesLabels.selector), ("watch", "true"), ("allowWatchBookmarks", "true"),
            ("resourceVersion", view.version ?? ""),
        ]
        let asked = call
        try await client.watch(call) { line in
            guard let event = JobView.Event(line) else { throw Self.senseless("no event", asked) }
            if case .refusal(let refusal) = event { throw refusal.portError(asked) }
            try await onEvent(view.take(event))
        }
    }

    /// Keeps what a listener throws apart from what the API does.
    private struct ListenerFailure: Error {
        let cause: any Error
    }

    private static func tell(
        _ change: KubernetesJobChange,
        _ onChange: (KubernetesJobChange) async throws -> Void
    ) async throws {
        do {
            try await onChange(change)
        } catch {
            throw ListenerFailure(cause: error)
        }
    }

    /// Doubled from try to try, and between half and whole by chance.
    private func delay(_ failures: Int) -> Duration {
        let full = min(Self.waitMax, Self.waitFirst * (1 << min(failures - 1, 10)))
        return full * (0.5 + random.fraction() / 2)
    }

    /// A wait that a cancellation cuts short; whoever waits looks for it next.
    private func pause(_ duration: Duration) async {
        try? await client.clock.sleep(until: client.clock.now.advanced(by: duration), tolerance: nil)
    }
}
