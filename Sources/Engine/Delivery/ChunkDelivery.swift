// Brings some records of a chunk to the sink, again and in halves where that helps, until each has an outcome.
import SluiceCore

/// One chunk on its way to one sink.
struct ChunkDelivery: Sendable {
    let context: EngineContext
    let cache: JobCache
    let job: Job
    let sink: any RecordSink
    let throttle: Throttle
    let message: ChunkMessage
    let chunk: ChunkID
    /// Ended with the first request; nil if it was never in question whether it may wait.
    var turn: ThrottleTurn?

    private struct Part {
        var positions: [Int]
        var attempt = 1
        /// When these records were first submitted.
        let since: Timestamp
        /// Half of a request that failed to the last, to see whether the other half fares better.
        var isProbe = false
    }

    /// What is still to be submitted, the last first, and what failed while nothing else was taken either.
    private struct Agenda {
        var parts: [Part]
        var stuck: [(part: Part, reason: String)] = []

        var isEmpty: Bool { parts.isEmpty && stuck.isEmpty }
    }

    /// Delivers until every position has ended, is accepted, or the sink halts.
    ///
    /// On return `progress` holds the receipt of the last request, to be stored with what else was found out; earlier ones
    /// are stored.
    ///
    /// - Throws: `DeliveryHalted` when nothing more can be delivered for now; `PortError`; `CancellationError`.
    func run(
        _ positions: [Int],
        records: ChunkRecords,
        attempt: Int = 1,
        into progress: inout ChunkProgress
    ) async throws {
        for receipt in progress.takeReceipts() { try await store(receipt) }
        var wanted = positions
        for (position, reason) in records.refusals where wanted.contains(position) {
            progress.refuse(
                position,
                recordID: records.id(at: position),
                reason: reason,
                attempts: 0,
                payload: records.record(at: position)
            )
        }
        wanted.removeAll { records.refusals[$0] != nil }
        var agenda = Agenda(
            parts: wanted.isEmpty ? [] : [Part(positions: wanted, attempt: attempt, since: context.now)]
        )
        while let part = try next(in: &agenda) {
            let request = DeliveryRequest(
                chunk: chunk,
                positions: part.positions,
                records: records,
                attempt: part.attempt
            )
            switch try await submit(request) {
            case .answered(let outcomes, let place):
                guard outcomes.count == part.positions.count else {
                    let reason = "the sink answered for \(outcomes.count) records of \(part.positions.count)"
                    try await again(whole: part, reason, nil, records, &agenda, &progress)
                    continue
                }
                try await settle(part, outcomes, place, records, &agenda, &progress)
            case .accepted(let receipt):
                let item = item(receipt, part)
                // Whatever else there is to do may fail, and take long: more requests, dead letters to be kept.
                if agenda.isEmpty, !progress.hasRefusals { progress.add(item) } else { try await store(item) }
                for position in part.positions { progress.raise(position, to: .accepted) }
            case .refused(let reason):
                if part.positions.count == 1 {
                    refuse(part.positions[0], reason, part.attempt, records, &progress)
                } else {
                    agenda.parts += halves(of: part)
                }
            case .overloaded(_, let after):
                // Not the records' fault: it costs no attempt, however often it happens.
                try await wait(after, attempt: part.attempt)
                agenda.parts.append(part)
            case .unknown(let reason, let after):
                try await again(whole: part, reason, after, records, &agenda, &progress)
            case .halted(let reason):
                throw DeliveryHalted(reason: reason)
            }
        }
    }

    /// One round trip, when the throttle lets it through.
    private func submit(_ request: DeliveryRequest) async throws -> DeliveryAnswer {
        while true {
            try Task.checkCancellation()
            try await applySettings()
            guard let number = try await throttle.place(records: request.positions.count) else { continue }
            turn?.end()
            let answer = await sink.deliver(request)
            switch answer {
            case .overloaded(_, let after): throttle.finish(number, .overloaded, hold: after)
            case .answered, .accepted, .refused: throttle.finish(number, .succeeded)
            case .unknown, .halted: throttle.finish(number, .undecided)
            }
            return answer
        }
    }

    /// Lets the throttle know what the job's record says by now.
    func applySettings() async throws {
        guard let now = try await cache.get(job.jobKey) else { return }
        // Counting the owners takes system calls, and only a rate is shared.
        let sharers = now.rate == nil ? 1 : await context.backend.owners.liveCount()
        throttle.apply(rate: now.rate, concurrency: now.deliveryConcurrency, share: 1 / Double(sharers))
        try Self.checkCancelled(now)
    }

    private func settle(
        _ part: Part,
        _ outcomes: [RecordOutcome],
        _ place: SinkPlace?,
        _ records: ChunkRecords,
        _ agenda: inout Agenda,
        _ progress: inout ChunkProgress
    ) async throws {
        var retries: [Int] = []
        var placed: [Int] = []
        var reason = ""
        for (position, outcome) in zip(part.positions, outcomes) {
            switch outcome {
            case .completed:
                progress.raise(position, to: .completed)
                placed.append(position)
            case .refused(let reason):
                refuse(position, reason, part.attempt, records, &progress)
            case .retry(let why):
                retries.append(position)
                reason = why
            }
        }
        if let place, !placed.isEmpty { progress.place(place, at: placed) }
        guard !retries.isEmpty else { return }
        let rest = Part(positions: retries, attempt: part.attempt, since: part.since)
        guard rest.attempt < context.settings.attemptsMax else {
            giveUp(rest, reason, records, &progress)
            return
        }
        try await again(rest, nil, &agenda)
    }

    /// The part to submit next; nil when all have been settled.
    ///
    /// - Throws: `DeliveryHalted` if only such are left as failed while the destination took nothing at all: then nothing
    ///   is wrong with them, and the job is to pause instead of giving records up.
    private func next(in agenda: inout Agenda) throws(DeliveryHalted) -> Part? {
        if let part = agenda.parts.popLast() { return part }
        guard let (part, reason) = agenda.stuck.last else { return nil }
        guard throttle.hasTaken(since: part.since) else {
            throw DeliveryHalted(
                reason:
                    "the destination took nothing in \(part.attempt) attempts: \(reason); mend it, then resume the job"
            )
        }
        agenda.parts = agenda.stuck.map { stuck in
            var part = stuck.part
            part.isProbe = false
            return part
        }
        agenda.stuck = []
        return agenda.parts.popLast()
    }

    /// A request failed as a whole, and nobody knows whether for its records or for the destination's sake.
    ///
    /// When attempts are used up, the destination decides: if it has taken anything meanwhile, it must be the records, and
    /// the one to blame is looked for in halves.
    private func again(
        whole part: Part,
        _ reason: String,
        _ after: Duration?,
        _ records: ChunkRecords,
        _ agenda: inout Agenda,
        _ progress: inout ChunkProgress
    ) async throws {
        if part.attempt < context.settings.attemptsMax { return try await again(part, after, &agenda) }
        let isTheirs = throttle.hasTaken(since: part.since)
        guard part.positions.count > 1, isTheirs || !part.isProbe else {
            return isTheirs ? giveUp(part, reason, records, &progress) : agenda.stuck.append((part, reason))
        }
        try await wait(after, attempt: part.attempt)
        agenda.parts += halves(of: part, isProbe: !isTheirs)
    }

    private func again(_ part: Part, _ after: Duration?, _ agenda: inout Agenda) async throws {
        try await wait(after, attempt: part.attempt)
        agenda.parts.append(Part(positions: part.positions, attempt: part.attempt + 1, since: part.since))
    }

    /// The first half is on top.
    private func halves(of part: Part, isProbe: Bool = false) -> [Part] {
        let middle = part.positions.count / 2
        return [part.positions[middle...], part.positions[..<middle]].map {
            Part(positions: Array($0), attempt: part.attempt, since: part.since, isProbe: isProbe)
        }
    }

    private func giveUp(_ part: Part, _ reason: String, _ records: ChunkRecords, _ progress: inout ChunkProgress) {
        for position in part.positions {
            refuse(position, "gave up after \(part.attempt) attempts: \(reason)", part.attempt, records, &progress)
        }
    }

    /// However long a sink wants to be left alone, a cancel is felt within this.
    private static let recheck: Duration = .milliseconds(200)

    private func wait(_ after: Duration?, attempt: Int) async throws {
        let backoff = context.settings.backoff.delay(afterAttempt: attempt, random: context.random)
        var left = max(after ?? .zero, backoff)
        while left > .zero {
            let part = min(left, Self.recheck)
            try await context.pause(part)
            left -= part
            if let now = try await cache.get(job.jobKey) { try Self.checkCancelled(now) }
        }
    }

    private static func checkCancelled(_ job: Job) throws {
        if job.status == .cancelling || job.status == .cancelled { throw DeliveryDropped() }
    }

    private func refuse(
        _ position: Int,
        _ reason: String,
        _ attempts: Int,
        _ records: ChunkRecords,
        _ progress: inout ChunkProgress
    ) {
        progress.refuse(
            position,
            recordID: records.id(at: position),
            reason: reason,
            attempts: attempts,
            payload: records.record(at: position)
        )
    }

    private func store(_ receipt: ReceiptItem) async throws(PortError) {
        try await context.retrying { () throws(PortError) in try await context.receipts.put(receipt, if: .itemAbsent) }
    }

    private func item(_ receipt: String, _ part: Part) -> ReceiptItem {
        let now = context.now
        return ReceiptItem(
            chunk: chunk,
            receipt: receipt,
            job: message.jobKey,
            count: message.count,
            positions: part.positions,
            payloadKey: message.payloadKey,
            payloadOffset: message.offset,
            payloadLength: message.length,
            chunksOfPage: message.chunksOfPage,
            attempt: part.attempt,
            now: now,
            pollAt: now.advanced(by: context.settings.firstRest),
            deadline: now.advanced(by: context.settings.confirmDeadline)
        )
    }
}
