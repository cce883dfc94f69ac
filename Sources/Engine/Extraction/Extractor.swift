// Extracts one slice: fetch, transform, cut, keep, send, commit, page after page.
import SluiceCore

/// Extraction by the transitions Extract and Commit of the books.
struct Extractor: Sendable {
    let context: EngineContext
    let cache: JobCache
    let gauge: InFlightGauge
    let stop: StopSignal

    /// Extracts a claimed slice from its checkpoint on.
    ///
    /// - Throws: `SourceError` when the source can't go on, `BadRecord` when the job is to stop at one; both leave the
    ///   slice at its last checkpoint. `PortError` when the backend can't go on.
    func extract(
        _ claimed: ClaimedSlice,
        source: any RecordSource,
        transform: any RecordTransform
    ) async throws -> ExtractionEnd {
        var slice = claimed
        var page = SourcePage()
        var batch = RecordBatch()
        while true {
            guard let job = try await job(of: slice) else { return .stopped }
            guard try await gauge.waitForRoom(job.id, stop: stop) else { continue }
            guard try await fetch(slice, pageSize: job.pageSize, from: source, into: &page) else { return .stopped }
            let cut = try await cutPage(page, job: job, source: source, transform: transform, batch: &batch)
            guard try await keepAndCommit(cut, page, slice) else { return .fenced }
            gauge.add(cut.recordCount, to: job.id)
            guard let next = page.next else { return .finished }
            slice.page += 1
            slice.continuation = next
        }
    }

    /// The job as it is to be extracted now; nil if it is not, or this process stops.
    private func job(of slice: ClaimedSlice) async throws -> Job? {
        guard !stop.isStopping, let job = try await cache.get(slice.job.jobKey), job.status == .inProgress else {
            return nil
        }
        return job
    }

    /// False if the job is to stop, or this process, before the source has a page to give.
    private func fetch(
        _ slice: ClaimedSlice,
        pageSize: Int,
        from source: any RecordSource,
        into page: inout SourcePage
    ) async throws -> Bool {
        let request = PageRequest(
            slice: slice.index,
            slices: slice.job.concurrency,
            continuation: slice.continuation,
            recordsWanted: pageSize,
            bytesWanted: context.settings.pageBytesMax,
            recordBytesMax: context.settings.recordBytesMax
        )
        return try await context.fetch(request, from: source, into: &page) { duration in
            try await wait(duration, for: slice)
        }
    }

    /// However long a source wants to be left alone, a stop and a pause are felt within this.
    private static let recheck: Duration = .milliseconds(200)

    private func wait(_ duration: Duration, for slice: ClaimedSlice) async throws -> Bool {
        var left = duration
        while try await job(of: slice) != nil {
            guard left > .zero else { return true }
            let part = min(left, Self.recheck)
            await stop.pause(part, context.clock)
            if Task.isCancelled { throw PortError(.cancelled, "cancelled while waiting for the source") }
            left -= part
        }
        return false
    }

    private func cutPage(
        _ page: SourcePage,
        job: Job,
        source: any RecordSource,
        transform: any RecordTransform,
        batch: inout RecordBatch
    ) async throws -> PageCut {
        batch.removeAll(keepingCapacity: true)
        var cut = PageCut(
            recordsExpected: page.records.count,
            settings: context.settings,
            keepsDigests: context.parts.keepsDigests(of: job)
        )
        var refusals: [PageCut.Refusal] = []
        var refusedAt: [Int64] = []
        var skipped = 0
        var stopAt: (position: Int64, reason: String, recordID: String?)?
        page.bytes.withUnsafeBytes { bytes in
            for record in page.records where stopAt == nil {
                let outcome =
                    record.refusal.map { TransformOutcome.refused(reason: $0, offset: 0) }
                    ?? transform.transform(bytes, range: record.range, into: &batch)
                switch outcome {
                case .written: cut.takeFull(from: &batch)
                case .skipped: skipped += 1
                case .refused(let reason, let offset, let id):
                    if job.onBadRecord == .stop {
                        stopAt = (record.position + Int64(offset), reason, id)
                    } else {
                        refusedAt.append(record.position + Int64(offset))
                        let raw = Array(bytes[record.range])
                        refusals.append(PageCut.Refusal(reason: reason, recordID: id, bytes: raw))
                    }
                }
            }
        }
        if let stopAt {
            let place = await source.locate([stopAt.position])[0] ?? stopAt.recordID.map { "record \"\($0)\"" }
            throw BadRecord(job: job.id, place: place ?? "a record", reason: stopAt.reason)
        }
        if !refusals.isEmpty {
            for (index, place) in await source.locate(refusedAt).enumerated() {
                if let place { refusals[index].reason = "\(place): \(refusals[index].reason)" }
            }
        }
        cut.finish(&batch, refusals: refusals, skipped: skipped)
        return cut
    }

    /// False when the slice belongs to another epoch; what was kept for this one is then removed again.
    private func keepAndCommit(_ cut: PageCut, _ page: SourcePage, _ slice: ClaimedSlice) async throws -> Bool {
        let key = PayloadKey.page(job: slice.job.id, slice: slice.index, page: slice.page, epoch: slice.epoch)
        if !cut.chunks.isEmpty {
            try await context.retrying { () throws(PortError) in
                try await context.backend.objects.put(cut.payload, at: key, onlyIfAbsent: false)
            }
            context.recentPayloads.keep(cut, at: key)
        }
        if try await sendAndCommit(cut, page, slice) { return true }
        // The page can never be this epoch's, and whoever sweeps the job's payloads may have been here already.
        context.recentPayloads.forget([key])
        try await context.retrying { () throws(PortError) in try await context.backend.objects.delete([key]) }
        return false
    }

    private func sendAndCommit(_ cut: PageCut, _ page: SourcePage, _ slice: ClaimedSlice) async throws -> Bool {
        let messages = try messages(cut, slice)
        let actions = try commitActions(cut, page, slice)
        if let atomic = context.backend.atomic {
            let sends = [AtomicBatch.Send(queue: context.backend.queues.replay.name, messages: messages)]
            return try await commit(slice) { () throws(PortError) in
                try await atomic.commit(AtomicBatch(actions: actions, sends: messages.isEmpty ? [] : sends))
            }
        }
        // The same bytes until the queue has them: a chunk of this identity may never have another content.
        for start in stride(from: 0, to: messages.count, by: 10) {
            let some = Array(messages[start..<min(start + 10, messages.count)])
            try await context.retrying { () throws(PortError) in try await context.backend.queues.replay.send(some) }
        }
        return try await commit(slice) { () throws(PortError) in try await context.backend.tables.transact(actions) }
    }

    private func messages(_ cut: PageCut, _ slice: ClaimedSlice) throws(PortError) -> [OutgoingMessage] {
        var messages: [OutgoingMessage] = []
        for (number, chunk) in cut.chunks.enumerated() {
            let id = ChunkID(
                job: slice.job.id,
                slice: slice.index,
                page: slice.page,
                epoch: slice.epoch,
                number: number
            )
            let message = ChunkMessage(
                job: slice.job.jobKey,
                chunk: id,
                count: chunk.count,
                chunksOfPage: cut.chunks.count,
                offset: chunk.offset,
                length: chunk.length
            )
            messages.append(try message.outgoing(isFirst: true))
        }
        return messages
    }

    private func commitActions(
        _ cut: PageCut,
        _ page: SourcePage,
        _ slice: ClaimedSlice
    ) throws(PortError) -> [TableAction] {
        var changes = [
            SliceItem.page.set(slice.page + 1),
            SliceItem.leaseUntil.set(context.now.advanced(by: context.settings.lease)),
            SliceItem.extracted.add(cut.recordCount + cut.skipped),
            SliceItem.skipped.add(cut.skipped),
            SliceItem.inFlight.add(cut.recordCount),
        ]
        if let next = page.next {
            changes.append(SliceItem.continuation.set(next.text))
        } else {
            changes += [
                SliceItem.finished.set(true), SliceItem.continuation.remove, SliceItem.owner.remove,
                SliceItem.leaseUntil.remove,
            ]
            changes.removeAll { if case .set(SliceItem.leaseUntil.name, _) = $0 { true } else { false } }
        }
        if let read = page.bytesRead { changes.append(SliceItem.bytesRead.set(read)) }
        if let read = page.fractionRead { changes.append(SliceItem.fractionRead.set(read)) }
        let mine = SliceItem.epoch == slice.epoch && SliceItem.page == slice.page && SliceItem.closed == false
        let item = PageItem(
            job: slice.job.id,
            slice: slice.index,
            page: slice.page,
            epoch: slice.epoch,
            sizes: cut.sizes,
            offsets: cut.offsets
        )
        var actions = [
            Table<SliceItem>.updating(slice.key, changes, if: mine),
            try Table<PageItem>.putting(item, if: .itemAbsent),
        ]
        if !cut.digests.isEmpty {
            let digests = DigestItem(job: slice.job.id, slice: slice.index, page: slice.page, entries: cut.digests)
            actions.append(try Table<DigestItem>.putting(digests))
        }
        return actions
    }

    /// Commits until it is known whether the page is this epoch's; an answer that was lost is looked up.
    private func commit(
        _ slice: ClaimedSlice,
        _ write: () async throws(PortError) -> Void
    ) async throws -> Bool {
        var attempt = 1
        while true {
            do {
                try await write()
                return true
            } catch {
                guard error.isRetryable || error.code == .conditionFailed else { throw error }
                // The slice before the page: a commit that seemed lost may land for as long as the slice stands where this
                // epoch left it, and never again once it does not. Only then does a look at the page settle whose it is;
                // a page that was looked at before could become this epoch's between the two looks.
                let now = try await context.retrying { () throws(PortError) in try await context.slices.get(slice.key) }
                guard let now, now.epoch == slice.epoch, now.page == slice.page, !now.closed else {
                    return try await owns(slice)
                }
                guard attempt < context.settings.attemptsMax else { throw error }
                try await context.pause(context.settings.backoff.delay(afterAttempt: attempt, random: context.random))
                attempt += 1
            }
        }
    }

    /// Whether the page at which a claim stands is its epoch's; final once the slice has moved on from there.
    private func owns(_ slice: ClaimedSlice) async throws(PortError) -> Bool {
        let key = PageItem.key(job: slice.job.id, slice: slice.index, page: slice.page)
        let page = try await context.retrying { () throws(PortError) in try await context.pages.get(key) }
        return page?.epoch == slice.epoch
    }
}
