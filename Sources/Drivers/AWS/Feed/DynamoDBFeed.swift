// A table's history out of DynamoDB Streams: positions, waiting, and the shards that make up a stream.
package import SluiceCore

/// The changes of tables that have a stream of new and old images.
///
/// Changes are kept for 24 hours. A shard's children are read after it, so that an item's changes keep their order. Shards
/// are asked one after the other: this is for tables of few shards, such as the jobs'. Copies share what they keep in mind.
package struct DynamoDBFeed: ChangeFeed {
    static let limitMax = 1000
    /// What is older is not relied on to be there.
    static let kept: Duration = .seconds(24 * 3600 - 600)
    /// How far apart a record's time and ours may be.
    static let slack: Duration = .seconds(300)
    /// How old a list of shards may be, and how old where the children of one are awaited.
    private static let listAge: Duration = .seconds(300)
    private static let awaitedListAge: Duration = .seconds(2)

    let service: DynamoDB
    let streams: DynamoDBStreams
    let prefix: String
    let interval: Duration
    let memory = FeedMemory()

    /// - Parameters:
    ///   - service: DynamoDB, which knows the tables' streams.
    ///   - streams: DynamoDB Streams in the same region.
    ///   - prefix: before the schemas' names.
    ///   - interval: about how long to leave a shard alone that had nothing more to tell. 5 calls a second are allowed for
    ///     one shard, for all readers together.
    package init(
        _ service: DynamoDB,
        _ streams: DynamoDBStreams,
        prefix: String = "",
        interval: Duration = .milliseconds(800)
    ) {
        self.service = service
        self.streams = streams
        self.prefix = prefix
        self.interval = interval
    }

    var clock: any Timekeeping { streams.client.clock }

    /// The changes behind a position, as the port says.
    ///
    /// One of `latest` is exact in this process, for as long as somebody goes on from it at least every 14 minutes, until a
    /// change was read. After a restart, the changes of the 5 minutes before it may come too; none is left out.
    package func read(
        _ schema: TableSchema,
        from position: FeedPosition,
        limit: Int,
        wait: Duration
    ) async throws(PortError) -> FeedPage {
        guard (1...Self.limitMax).contains(limit) else {
            throw PortError(.invalidRequest, "a page of a feed holds 1 to \(Self.limitMax) changes, not \(limit)")
        }
        guard schema.isFollowed else {
            throw PortError(.invalidRequest, "the table \(schema.name) is not followed")
        }
        let deadline = clock.now.advanced(by: wait)
        var place = try await place(position, schema)
        while true {
            let map = try await look(schema, &place)
            var round = FeedRound(feed: self, schema: schema, map: map, limit: limit, isPatient: wait > .zero)
            try await round.read(&place)
            let now = clock.now
            // Who doesn't wait gets what is there, however many shards or old changes are before it.
            let isOver = now >= deadline && !(round.hasMoved && wait <= .zero)
            if !round.changes.isEmpty || isOver || Task.isCancelled {
                return FeedPage(changes: round.changes, next: .at(place.text))
            }
            if wait > .zero, let dueAt = round.dueAt, dueAt > now { try await sleep(until: min(dueAt, deadline)) }
        }
    }

    private func sleep(until deadline: Timestamp) async throws(PortError) {
        do {
            try await clock.sleep(until: deadline, tolerance: nil)
        } catch {
            throw PortError(.cancelled, "cancelled while waiting for changes")
        }
    }

    /// From `interval` a quarter more or less, so that readers don't come all at once.
    func later(than now: Timestamp) -> Timestamp {
        now.advanced(by: interval * (0.75 + streams.client.random.fraction() / 2))
    }

    /// What a position means.
    private func place(_ position: FeedPosition, _ schema: TableSchema) async throws(PortError) -> FeedPlace {
        switch position {
        case .start:
            let map = try await list(schema)
            return FeedPlace(stream: map.stream, shards: map.roots.map { ShardPlace(id: $0.id, mark: .oldest) })
        case .latest:
            return try await latest(schema)
        case .at(let text):
            guard let place = FeedPlace(text) else {
                throw PortError(.invalidRequest, "\"\(text)\" is no place in a change feed")
            }
            return place
        }
    }

    /// Behind the newest change of each shard that may still get any.
    ///
    /// Such an iterator can't be put into a position, so that it is kept in mind; the position has the moment.
    private func latest(_ schema: TableSchema) async throws(PortError) -> FeedPlace {
        let map = try await list(schema)
        var place = FeedPlace(stream: map.stream, shards: [])
        let moment = streams.client.now
        let tag = streams.client.random.hexadecimal(16)
        for shard in map.leaves {
            let head = ShardPlace(id: shard.id, mark: .since(moment, tag: tag))
            place.shards.append(head)
            do {
                let iterator = try await streams.iterator(.latest, of: shard.id, in: map.arn)
                memory.keep(.init(iterator: iterator, madeAt: clock.now, dueAt: clock.now), at: head, in: map.stream)
            } catch {
                // A shard that has gone meanwhile is read on from its children.
                guard error.code == "ResourceNotFoundException" else { throw error.portError }
            }
        }
        return place
    }

    /// The shards, listed anew if it is time, and the front as it is by them.
    private func look(_ schema: TableSchema, _ place: inout FeedPlace) async throws(PortError) -> ShardMap {
        let isAwaiting = place.shards.isEmpty || place.shards.contains { $0.mark.hasEnded }
        let age = isAwaiting ? Self.awaitedListAge : Self.listAge
        var map = memory.map(of: schema.name)
        if let known = map, known.listedAt.duration(to: clock.now) >= age || known.stream != place.stream { map = nil }
        let current: ShardMap
        if let map { current = map } else { current = try await list(schema) }
        guard current.stream == place.stream else {
            throw PortError(
                .notFound,
                "the stream of the table \(prefix + schema.name) was replaced since: changes may have been missed; go on from the start"
            )
        }
        place.shards = current.renewed(place.shards)
        return current
    }

    /// Asks which stream a table has, and for its shards.
    private func list(_ schema: TableSchema) async throws(PortError) -> ShardMap {
        let table = prefix + schema.name
        let now = clock.now
        let found: DynamoDB.Description
        do {
            found = try await service.describe(table)
        } catch {
            guard error.code == "ResourceNotFoundException" else { throw error.portError }
            throw PortError(.invalidRequest, "there is no table \(table): make it by `sluice tables create`")
        }
        guard found.streamView == "NEW_AND_OLD_IMAGES", let arn = found.streamARN else {
            let problem = found.streamView.map { "its stream has \($0) only" } ?? "it has no stream"
            throw PortError(
                .invalidRequest,
                "changes of the table \(table) can't be followed: \(problem), and NEW_AND_OLD_IMAGES are needed: switch them on, or make tables under another prefix by `sluice tables create`"
            )
        }
        do {
            return memory.keep(ShardMap(arn: arn, try await streams.shards(of: arn), listedAt: now), of: schema.name)
        } catch {
            // A stream that was just switched on is not known everywhere at once.
            guard error.code == "ResourceNotFoundException" else { throw error.portError }
            throw PortError(.unavailable, "the stream of the table \(table) can't be found yet", cause: error)
        }
    }
}
