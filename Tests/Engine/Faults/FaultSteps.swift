// The engine's parts, one step each, as its services drive them.
import SluiceCore

@testable import SluiceEngine

/// Everything a worker does, for a test that calls it in turn.
struct Steps {
    private let context: EngineContext
    private let cache: JobCache
    private let sinks: SinkCache
    private let gate: Gate
    private let janitor: PayloadJanitor

    init(_ context: EngineContext) {
        self.context = context
        cache = JobCache(context)
        sinks = SinkCache(context)
        gate = Gate(context, cache: cache)
        janitor = PayloadJanitor(context)
    }

    func all(of job: Job) -> [() async throws -> Void] {
        [
            { try await launch(job) }, { try await extract(job, 0) }, { try await extract(job, 1) }, replay, book,
            { _ = try await Confirmer(context: context, cache: cache, sinks: sinks).poll() }, book,
            finish, emptyDeadLetterQueues,
        ]
    }

    func emptyDeadLetterQueues() async throws {
        _ = try await Housekeeper(context, gate: gate).emptyDeadLetterQueues()
    }

    func seal(_ job: Job) async throws {
        try await Housekeeper(context, gate: gate).seal(job)
    }

    func finish() async throws {
        let finisher = Finisher(context: context, cache: cache, sinks: sinks)
        for job in try await JobStore(context).live() { try await finisher.check(job.jobKey) }
    }

    func launch(_ job: Job) async throws {
        guard let now = try await context.jobs.get(job.key), now.status == .pending else { return }
        let launcher = ExtractionService(
            context,
            cache: cache,
            gauge: InFlightGauge(context),
            stop: StopSignal()
        )
        _ = try await launcher.launch(Launch(job: now.jobKey, number: now.launchNumber + 1))
    }

    func extract(_ job: Job, _ index: Int) async throws {
        let claims = SliceClaims(context: context)
        let source = try context.parts.source(for: job)
        let transform = try context.parts.transform(for: job)
        let match = SliceMatch.text(job: job, source: try await source.describe(), transform: transform)
        guard let now = try await context.jobs.get(job.key), now.status == .inProgress,
            let slice = try await context.slices.get(SliceItem.key(job: job.id, index: index)),
            let claimed = try await claims.claim(now, slice, match: match)
        else { return }
        let extractor = Extractor(context: context, cache: cache, gauge: InFlightGauge(context), stop: StopSignal())
        do {
            let end = try await extractor.extract(claimed, source: source, transform: transform)
            if end == .stopped { try await claims.letGo(now, index, epoch: claimed.epoch) }
        } catch {
            try await claims.letGo(now, index, epoch: claimed.epoch)
            throw error
        }
    }

    func replay() async throws {
        let deliverer = Deliverer(context: context, cache: cache, gate: gate, sinks: sinks)
        while true {
            let messages = try await context.backend.queues.replay.receive(
                limit: 10,
                invisible: context.settings.visibility,
                wait: .zero
            )
            if messages.isEmpty { return }
            for message in messages { try await deliverer.handle(message) }
        }
    }

    func book() async throws {
        let service = ProgressService(
            context: context,
            booker: Booker(context: context),
            janitor: janitor,
            stop: StopSignal(),
            booked: { _, _ in }
        )
        while true {
            let messages = try await context.backend.queues.progress.receive(
                limit: 3,
                invisible: context.settings.visibility,
                wait: .zero
            )
            if messages.isEmpty { return }
            try await service.book(messages)
        }
    }
}
