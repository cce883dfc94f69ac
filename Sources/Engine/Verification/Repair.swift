// Delivers records again that the destination should hold, and waits until it has said how they ended.
import Logging
import SluiceCore

/// Deliveries outside the books: the records are completed there, and stay so.
struct Repair: Sendable {
    let context: EngineContext
    let job: Job
    let sink: any RecordSink

    /// Delivers the records chunk by chunk, within the job's rate; how many were confirmed.
    ///
    /// Records that are refused or not confirmed in time are logged, and left for the next look to find.
    ///
    /// - Throws: `SinkError.stopped` if the sink halts; `PortError` when cancelled.
    func deliver(_ records: [Lookup.Suspect]) async throws -> Int {
        var repaired = 0
        var bucket = job.rate.map { TokenBucket(rate: $0, now: context.now) }
        var rest = records[...]
        while let first = rest.first {
            var bytes = first.record.count
            var count = 1
            for record in rest.dropFirst() {
                bytes += record.record.count
                guard count < context.settings.chunkRecordsMax, bytes <= context.settings.chunkBytesMax else { break }
                count += 1
            }
            while let wait = bucket?.take(count, now: context.now) { try await context.pause(wait) }
            repaired += try await deliver(Chunk(Array(rest.prefix(count)), job.id))
            rest = rest.dropFirst(count)
        }
        return repaired
    }

    /// Records as a sink takes them.
    private struct Chunk {
        let id: ChunkID
        let records: ChunkRecords
        var positions: [Int]

        /// Its id is of no slice: no page of the job is called so.
        init(_ suspects: [Lookup.Suspect], _ job: JobID) {
            var bytes: [UInt8] = []
            var lines: [Range<Int>] = []
            var tokens: [Range<Int>] = []
            for suspect in suspects {
                let start = bytes.count
                JSONValue.string(suspect.id).write(into: &bytes)
                tokens.append(start..<bytes.count)
            }
            for suspect in suspects {
                lines.append(bytes.count..<bytes.count + suspect.record.count)
                bytes += suspect.record
                bytes.append(UInt8(ascii: "\n"))
            }
            id = ChunkID(job: job, slice: 0, page: 0, epoch: 0, number: 0)
            records = ChunkRecords(in: bytes, lines: lines, idTokens: tokens)
            positions = Array(suspects.indices)
        }
    }

    private func deliver(_ chunk: Chunk) async throws -> Int {
        var repaired = 0
        var parts = [(positions: chunk.positions, attempt: 1)]
        while let part = parts.popLast() {
            let request = DeliveryRequest(
                chunk: chunk.id,
                positions: part.positions,
                records: chunk.records,
                attempt: part.attempt
            )
            switch await sink.deliver(request) {
            case .answered(let outcomes, _):
                let again = settle(outcomes, part.positions, chunk, &repaired)
                try await retry(again, part.attempt, "not taken", nil, &parts)
            case .accepted(let receipt):
                let outcomes = try await confirm(receipt, request)
                let again = settle(outcomes, part.positions, chunk, &repaired)
                try await retry(again, part.attempt, "not confirmed", nil, &parts)
            case .refused(let reason):
                if part.positions.count == 1 {
                    _ = settle([.refused(reason: reason)], part.positions, chunk, &repaired)
                } else {
                    let middle = part.positions.count / 2
                    parts.append((Array(part.positions[middle...]), part.attempt))
                    parts.append((Array(part.positions[..<middle]), part.attempt))
                }
            case .overloaded(_, let after):
                try await wait(after, part.attempt)
                parts.append(part)
            case .unknown(let reason, let after):
                try await retry(part.positions, part.attempt, reason, after, &parts)
            case .halted(let reason):
                throw SinkError.stopped(reason)
            }
        }
        return repaired
    }

    /// Counts what ended, and answers with the positions that are worth another try.
    private func settle(
        _ outcomes: [RecordOutcome],
        _ positions: [Int],
        _ chunk: Chunk,
        _ repaired: inout Int
    ) -> [Int] {
        var again: [Int] = []
        for (position, outcome) in zip(positions, outcomes) {
            switch outcome {
            case .completed: repaired += 1
            case .retry: again.append(position)
            case .refused(let reason):
                context.logger(for: job.id).warning(
                    "a record could not be repaired",
                    metadata: ["record_id": "\(chunk.records.id(at: position) ?? "?")", "reason": "\(reason)"]
                )
            }
        }
        return again
    }

    private func retry(
        _ positions: [Int],
        _ attempt: Int,
        _ reason: String,
        _ after: Duration?,
        _ parts: inout [(positions: [Int], attempt: Int)]
    ) async throws {
        guard !positions.isEmpty else { return }
        guard attempt < context.settings.attemptsMax else {
            context.logger(for: job.id).warning(
                "records could not be repaired",
                metadata: ["records": "\(positions.count)", "attempts": "\(attempt)", "reason": "\(reason)"]
            )
            return
        }
        try await wait(after, attempt)
        parts.append((positions, attempt + 1))
    }

    private func wait(_ after: Duration?, _ attempt: Int) async throws(PortError) {
        let backoff = context.settings.backoff.delay(afterAttempt: attempt, random: context.random)
        try await context.pause(max(after ?? .zero, backoff))
    }

    /// Asks until the sink has said how each record ended, or the deadline for that has passed.
    private func confirm(_ receipt: String, _ request: DeliveryRequest) async throws -> [RecordOutcome] {
        let again: (String) -> [RecordOutcome] = { reason in request.positions.map { _ in .retry(reason: reason) } }
        guard let sink = sink as? any ConfirmingSink else { return again("the sink can't be asked") }
        let deadline = context.now.advanced(by: context.settings.confirmDeadline)
        let records = request.records
        let question = ConfirmationRequest(
            chunk: request.chunk,
            positions: request.positions,
            attempt: request.attempt,
            records: { records }
        )
        while context.now < deadline {
            switch await sink.confirm(receipt, for: question) {
            case .ended(let outcomes) where outcomes.count == request.positions.count: return outcomes
            case .failed(let reason), .undetermined(let reason): return again(reason)
            case .forgotten: return again("the sink does not know its receipt any more")
            case .halted(let reason): throw SinkError.stopped(reason)
            case .open, .unknown, .overloaded, .ended: try await context.pause(context.settings.confirmInterval)
            }
        }
        return again("not confirmed in time")
    }
}
