// Records that were given up: kept with reason and bytes, listed while they are dead, and sent again on request.
public import SluiceCore

/// Writes dead letters; large payloads go to the object store first.
struct DeadLetterKeeper: Sendable {
    let context: EngineContext

    func keep(_ progress: ChunkProgress, of chunk: ChunkID) async throws(PortError) {
        let dead = try progress.deadLetters(of: chunk, now: context.now)
        var puts: [TableAction] = []
        for letter in dead {
            if let (key, bytes) = letter.kept {
                try await context.backend.objects.put(bytes, at: key, onlyIfAbsent: false)
            }
            puts.append(try Table<DeadLetter>.putting(letter.item))
        }
        for start in stride(from: 0, to: puts.count, by: TableLimits.actionsPerTransaction) {
            let some = Array(puts[start..<min(start + TableLimits.actionsPerTransaction, puts.count)])
            try await context.backend.tables.writeEach(some)
        }
    }
}

/// What an operator can do with a job's dead letters.
public struct DeadLetters: Sendable {
    let context: EngineContext

    public init(_ context: EngineContext) {
        self.context = context
    }

    /// One page of the records that are dead now; `next` is nil at the end, and a page may be empty before it.
    public func list(
        _ job: JobID,
        limit: Int = 100,
        after: TableCursor? = nil
    ) async throws(PortError) -> (letters: [DeadLetter], next: TableCursor?) {
        let query = TableQuery(partition: job.text, range: .prefix("dead#"), limit: min(limit, 100), after: after)
        let page = try await context.deadLetters.query(query)
        let chunks = Array(Set(page.items.compactMap(\.chunk)))
        let stored = try await context.chunks.get(chunks.map { ChunkItem.key($0) })
        var letters: [ChunkID: Letters] = [:]
        for (chunk, item) in zip(chunks, stored) { letters[chunk] = item.flatMap { Letters($0.letters) } }
        let dead = page.items.filter { letter in
            guard let chunk = letter.chunk, let standing = letters[chunk], letter.position < standing.count else {
                return false
            }
            return standing[letter.position].isDead
        }
        return (dead, page.next)
    }

    /// The record's bytes, whole.
    public func payload(of letter: DeadLetter) async throws(PortError) -> [UInt8] {
        guard let key = letter.payloadKey else { return letter.payload }
        return try await context.backend.objects.read(key, range: nil)
    }

    /// Sends dead letters again: all, or those with the given record ids; how many.
    ///
    /// A record stays dead until it is confirmed, so sending twice counts nothing twice. What was never fit to be sent
    /// (`DeadLetter.canBeSent`) is passed over.
    ///
    /// - Throws: `JobError.field` if the job's state forbids it.
    public func redrive(_ id: JobID, recordIDs: Set<String>? = nil) async throws -> Int {
        let job = try await JobStore(context).get(id)
        switch job.status {
        case .completed, .cancelling, .cancelled, .failed:
            throw JobError.field(
                "reindex_id",
                "job \(id) is \(job.status); only a job that is live or completed_with_failures has dead letters to send again"
            )
        case .completedWithFailures, .pending, .inProgress, .pausing, .paused: break
        }
        guard job.sealedAt == nil else {
            throw JobError.field("reindex_id", "the ledger of job \(id) was purged; start a new job for these records")
        }
        var sent = 0
        var cursor: TableCursor?
        repeat {
            let page = try await list(id, after: cursor)
            let wanted = page.letters.filter { letter in
                guard letter.canBeSent else { return false }
                guard let recordIDs else { return true }
                return letter.recordID.map(recordIDs.contains) ?? false
            }
            for (chunk, letters) in Dictionary(grouping: wanted, by: \.chunk) {
                guard let chunk else { continue }
                try await send(letters, of: chunk, job.jobKey)
                sent += letters.count
            }
            cursor = page.next
        } while cursor != nil
        return sent
    }

    private func send(_ letters: [DeadLetter], of chunk: ChunkID, _ job: JobKey) async throws(PortError) {
        let item = try await context.chunks.get(ChunkItem.key(chunk))
        let page = try await context.pages.get(PageItem.key(job: chunk.job, slice: chunk.slice, page: chunk.page))
        guard let item, let page else { return }
        let count = item.letters.utf8.count
        var payloads: [Int: [UInt8]] = [:]
        for letter in letters { payloads[letter.position] = try await payload(of: letter) }
        let content = PageCut.redrive(count: count, letters: letters, payloads: payloads)
        let key = "\(PayloadKey.prefix(chunk.job))redrive/\(chunk.path)-\(context.random.hexadecimal(16))"
        try await context.backend.objects.put(content, at: key, onlyIfAbsent: true)
        var message = ChunkMessage(
            job: job,
            chunk: chunk,
            count: count,
            chunksOfPage: page.sizes.count,
            offset: 0,
            length: content.count
        )
        message.payloadKey = key
        message.redrive = letters.map(\.position).sorted()
        let outgoing = try message.outgoing()
        try await context.retrying { () throws(PortError) in try await context.backend.queues.replay.send([outgoing]) }
    }
}

extension DeadLetter {
    /// Whether the record was ever fit to be sent: one that could not be read, or was lost, has nothing a sink could
    /// take.
    ///
    /// Its source has to be mended, and moved by a new job.
    public var canBeSent: Bool { attempts > 0 && !payload.isEmpty }
}

extension PageCut {
    /// A chunk's content with only the records that are to be sent again; the other lines are empty.
    static func redrive(count: Int, letters: [DeadLetter], payloads: [Int: [UInt8]]) -> [UInt8] {
        let ids = Dictionary(letters.map { ($0.position, $0.recordID) }, uniquingKeysWith: { first, _ in first })
        var content = Array(#"{"ids":["#.utf8)
        for position in 0..<count {
            if position > 0 { content.append(UInt8(ascii: ",")) }
            let id = ids[position].flatMap { $0 }
            (id.map { JSONValue.string($0) } ?? .null).write(into: &content)
        }
        content.append(contentsOf: "]}\n".utf8)
        for position in 0..<count {
            content.append(contentsOf: payloads[position] ?? [])
            content.append(UInt8(ascii: "\n"))
        }
        return content
    }
}
