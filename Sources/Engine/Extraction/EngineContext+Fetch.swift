// Fetching with patience: a source that fails for a moment is asked again.
public import SluiceCore

extension EngineContext {
    /// Fetches a page, again with backoff while the source fails transiently and attempts are left.
    ///
    /// - Throws: `SourceError`, never transient; `PortError` when cancelled.
    public func fetch(_ request: PageRequest, from source: any RecordSource, into page: inout SourcePage) async throws {
        _ = try await fetch(request, from: source, into: &page) { duration in
            try await pause(duration)
            return true
        }
    }

    /// Asks a source what it is, again with backoff while it fails transiently and attempts are left.
    ///
    /// - Parameters:
    ///   - source: Not yet read from.
    ///   - attempts: How often it is asked at most.
    ///   - patience: A source that wants to be left alone for longer is not asked again.
    /// - Returns: What it says of itself.
    /// - Throws: `SourceError`, the last one; `PortError` when cancelled.
    public func describe(
        _ source: any RecordSource,
        attempts: Int,
        patience: Duration
    ) async throws -> SourceDescription {
        var attempt = 1
        while true {
            do {
                return try await source.describe()
            } catch {
                guard case .transient(_, let after) = error, attempt < attempts, after ?? .zero <= patience else {
                    throw error
                }
                try await pause(max(after ?? .zero, settings.backoff.delay(afterAttempt: attempt, random: random)))
                attempt += 1
            }
        }
    }

    /// Fetches a page as above; false if `wait` says that there is no use in trying again.
    func fetch(
        _ request: PageRequest,
        from source: any RecordSource,
        into page: inout SourcePage,
        wait: (Duration) async throws -> Bool
    ) async throws -> Bool {
        var attempt = 1
        while true {
            do {
                try await source.fetch(request, into: &page)
                guard page.next != request.continuation || page.next == nil else {
                    throw SourceError.stopped(
                        "the source answered with the continuation it was asked for; no progress is possible"
                    )
                }
                return true
            } catch SourceError.transient(let reason, let after) {
                guard attempt < settings.attemptsMax else {
                    throw SourceError.stopped("the source failed \(attempt) times: \(reason)")
                }
                let backoff = settings.backoff.delay(afterAttempt: attempt, random: random)
                guard try await wait(max(after ?? .zero, backoff)) else { return false }
                attempt += 1
            }
        }
    }
}
