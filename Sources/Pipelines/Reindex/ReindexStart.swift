// From a request to a job that any worker can take on.
package import SluiceCore
package import SluiceEngine

/// Creates reindexing jobs.
package struct ReindexStart: Sendable {
    private let context: EngineContext

    package init(_ context: EngineContext) {
        self.context = context
    }

    /// Checks everything about the request and creates its job; if anything is wrong, nothing is changed.
    ///
    /// - Throws: `JobError.field` naming what is wrong with the request, `JobError.destinationBusy`, `PortError`.
    package func start(_ request: ReindexRequest) async throws -> Job {
        let now = context.clock.now
        var job = try request.job(id: JobID(now: now, random: context.random), now: now)
        let source = try context.parts.source(for: job)
        // Made here only to have their complaints before the job exists.
        let transform = try context.parts.transform(for: job)
        try context.parts.checkSink(of: job)
        let description: SourceDescription
        do {
            description = try await source.describe()
        } catch {
            // What the source advises is meant for a job that is under way; here there is none to resume.
            let advice = ", then resume the job"
            let reason = error.description
            throw JobError.field(
                "source",
                reason.hasSuffix(advice) ? reason.dropLast(advice.count) + ", then start again" : reason
            )
        }
        job.sourceFingerprint = description.fingerprint
        job.sourceBytes = description.bytes
        job.sourceRecords = description.records
        let match = SliceMatch.text(job: job, source: description, transform: transform)
        try await JobStore(context).create(job, match: match)
        return try await JobStore(context).get(job.id)
    }
}
