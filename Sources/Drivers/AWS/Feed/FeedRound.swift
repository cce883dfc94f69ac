// Asks each shard of a front once.
import SluiceCore

/// One round of a read.
struct FeedRound {
    let feed: DynamoDBFeed
    let schema: TableSchema
    let map: ShardMap
    let limit: Int
    /// Whether shards may be left alone that had nothing more to tell a moment ago.
    let isPatient: Bool
    private(set) var changes: [TableChange] = []
    /// Whether the front has moved on, or may do so at once.
    private(set) var hasMoved = false
    /// When it is worth asking again; nil if that is now.
    private(set) var dueAt: Timestamp?

    /// How often one shard is begun anew in one round, for iterators that are good no more.
    private static let beginningsMax = 3

    init(feed: DynamoDBFeed, schema: TableSchema, map: ShardMap, limit: Int, isPatient: Bool) {
        self.feed = feed
        self.schema = schema
        self.map = map
        self.limit = limit
        self.isPatient = isPatient
    }

    private var now: Timestamp { feed.clock.now }

    /// Reads until the page is full, and moves the front past what was read.
    mutating func read(_ place: inout FeedPlace) async throws(PortError) {
        var dues: [Timestamp] = []
        var asked = 0
        for index in place.shards.indices {
            guard changes.count < limit else { break }
            asked = index + 1
            var shard = place.shards[index]
            if shard.mark.hasEnded {
                dues.append(feed.later(than: now))
            } else {
                dues.append(try await read(&shard))
            }
            place.shards[index] = shard
        }
        // The next read begins with those that this one did not come to.
        place.shards = Array(place.shards[asked...] + place.shards[..<asked])
        dueAt = dues.min() ?? feed.later(than: now)
    }

    /// Reads one shard, and tells when it is due again.
    private mutating func read(_ shard: inout ShardPlace) async throws(PortError) -> Timestamp {
        if isPatient, let known = feed.memory.iterator(at: shard, in: map.stream, now: now), known.dueAt > now {
            return known.dueAt
        }
        let wanted = min(limit - changes.count, DynamoDBStreams.recordsMax)
        guard let found = try await records(of: shard, wanted) else {
            // It is gone with all its records; that is no loss if they had been read, or were older than what is asked for.
            if let seen = shard.mark.seen, !isKept(seen) { throw trimmed }
            return end(&shard)
        }
        try take(found.records, &shard)
        guard let next = found.next else { return end(&shard) }
        let isFull = found.records.count >= wanted
        // A closed shard has an end, to which calls without records may lead.
        let isNearEnd = map.isClosed(shard.id)
        if !found.records.isEmpty || isNearEnd { hasMoved = true }
        let dueAt = isFull || isNearEnd ? now.advanced(by: isFull ? .zero : feed.interval / 4) : feed.later(than: now)
        feed.memory.keep(.init(iterator: next, madeAt: now, dueAt: dueAt), at: shard, in: map.stream)
        return dueAt
    }

    /// Its children were made after it was last seen open.
    private mutating func end(_ shard: inout ShardPlace) -> Timestamp {
        hasMoved = true
        let open = map.openAt[shard.id]?.advanced(by: .zero - DynamoDBFeed.slack)
        shard.mark = .ended([shard.mark.seen, open].compactMap { $0 }.max())
        feed.memory.awaitChildren(in: schema.name)
        return now
    }

    private mutating func take(_ records: [DynamoDBStreams.Record], _ shard: inout ShardPlace) throws(PortError) {
        for record in records {
            // What is read from the oldest on, for want of an iterator, begins before what was asked for. The mark stays where it
            // is meanwhile, as what the next records are depends on it.
            if case .since(let moment, _) = shard.mark,
                record.madeAt < moment.advanced(by: .zero - DynamoDBFeed.slack)
            {
                continue
            }
            shard.mark = .after(record.number, at: max(shard.mark.seen ?? record.madeAt, record.madeAt))
            guard let key = schema.key(of: record.key) else {
                throw PortError(
                    .invalidRequest,
                    "a change in the stream of \(schema.name) has another key than the table"
                )
            }
            changes.append(TableChange(key: key, old: record.old, new: record.new))
        }
    }

    /// What a shard has behind its mark; nil if the shard is gone.
    private func records(of shard: ShardPlace, _ wanted: Int) async throws(PortError) -> DynamoDBStreams.Records? {
        var beginnings = 0
        while true {
            var iterator = feed.memory.iterator(at: shard, in: map.stream, now: now)?.iterator
            if iterator == nil {
                beginnings += 1
                iterator = try await begin(shard)
            }
            guard let iterator else { return nil }
            do {
                return try await feed.streams.records(iterator, limit: wanted)
            } catch {
                feed.memory.forget(shard, in: map.stream)
                if error.code == "ResourceNotFoundException" { return nil }
                let isTrimmed = error.code == "TrimmedDataAccessException"
                if isTrimmed, !shard.mark.isUnread { throw trimmed }
                guard isTrimmed || error.code == "ExpiredIteratorException", beginnings < Self.beginningsMax else {
                    throw error.portError
                }
            }
        }
    }

    /// An iterator behind a mark; nil if the shard is gone.
    private func begin(_ shard: ShardPlace) async throws(PortError) -> String? {
        var start = DynamoDBStreams.Start.horizon
        switch shard.mark {
        case .after(let number, _): start = .after(number)
        // Nobody would say that something was trimmed.
        case .since(let moment, _): guard isKept(moment) else { throw trimmed }
        case .oldest, .ended: break
        }
        do {
            return try await feed.streams.iterator(start, of: shard.id, in: map.arn)
        } catch {
            switch error.code {
            case "ResourceNotFoundException": return nil
            case "TrimmedDataAccessException": throw trimmed
            default: throw error.portError
            }
        }
    }

    /// Whether changes of the moment are kept certainly.
    private func isKept(_ moment: Timestamp) -> Bool {
        moment.duration(to: feed.streams.client.now) < DynamoDBFeed.kept
    }

    private var trimmed: PortError {
        let table = feed.prefix + schema.name
        return PortError(
            .notFound,
            "changes of the table \(table) may have been trimmed before they were read here; go on from the start"
        )
    }
}
