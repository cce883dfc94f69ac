// What has to be done now and then: remove what has had its time, and give room back.
public import SluiceCore

/// What a round of housekeeping removed.
public struct HousekeepingReport: Sendable, Hashable {
    /// Items whose time to live had passed.
    public var expiredItems = 0
    /// Changes older than 24 hours.
    public var trimmedChanges = 0
    /// Messages kept longer than their queue keeps them.
    public var expiredMessages = 0

    public init() {}
}

extension SQLiteBackend {
    /// Rows removed in one piece of work, so that others' writes run in between.
    private static let rowsPerTurn = 500

    /// Removes expired items, old changes, expired messages and what dead owners left, then empties the log.
    ///
    /// Readers never see what has expired, whether or not this runs; it only gives the room back. Any process may call
    /// it, several at once too. A call every few minutes is enough.
    public func keepHouse() async throws(PortError) -> HousekeepingReport {
        var report = HousekeepingReport()
        report.expiredItems = try await purgeExpired()
        report.trimmedChanges = try await repeating { try FeedRows.trim(Self.rowsPerTurn, in: $0) }
        for setup in setups {
            report.expiredMessages += try await repeating { session in
                try QueueRows.expire(setup.name, after: setup.retention, limit: Self.rowsPerTurn, in: session)
            }
        }
        owners.removeRemains()
        _ = owners.live()
        try await store.releaseMessagesOfTheGone()
        try await store.writer.emptyLog()
        return report
    }

    /// Removes items whose time to live has passed, and says how many; followed tables' readers hear of each removal.
    public func purgeExpired() async throws(PortError) -> Int {
        let tables = try await store.read { try Expiry.tables(in: $0) }
        var count = 0
        for table in tables {
            count += try await repeating { try Expiry.purge(table, limit: Self.rowsPerTurn, in: $0) }
        }
        return count
    }

    /// Repeats a removal until it finds less than a full turn.
    private func repeating(
        _ removal: @escaping @Sendable (Session) throws -> Int
    ) async throws(PortError) -> Int {
        var count = 0
        while true {
            let removed = try await store.write(removal)
            count += removed
            if removed < Self.rowsPerTurn { return count }
        }
    }
}

/// The removal of expired items.
private enum Expiry {
    struct Table: Sendable {
        let name: String
        let isFollowed: Bool
    }

    static func tables(in session: Session) throws -> [Table] {
        let statement = try session.connection.statement("select name, followed from sluice_table")
        defer { statement.reset() }
        var tables: [Table] = []
        while try statement.step() {
            tables.append(Table(name: statement.text(0), isFollowed: statement.integer(1) != 0))
        }
        return tables
    }

    static func purge(_ table: Table, limit: Int, in session: Session) throws -> Int {
        let deletion = try session.connection.statement(
            """
            delete from "\(table.name)" where (pk, sk) in
                (select pk, sk from "\(table.name)" where ttl < ?1 order by ttl limit ?2)
            returning pk, sk, item
            """
        )
        defer { deletion.reset() }
        deletion.bind(1, session.now.seconds)
        deletion.bind(2, Int64(limit))
        var count = 0
        while try deletion.step() {
            count += 1
            guard table.isFollowed else { continue }
            try FeedRows.append(
                table: table.name,
                partition: deletion.text(0),
                sort: deletion.text(1),
                old: deletion.blob(2),
                new: nil,
                in: session
            )
        }
        return count
    }
}

extension QueueRows {
    /// Removes messages of a queue that were sent too long ago, whatever state they are in.
    static func expire(
        _ queue: String,
        after retention: Duration,
        limit: Int,
        in session: Session
    ) throws -> Int {
        let deletion = try session.connection.statement(
            """
            delete from sluice_message where id in (
                select id from sluice_message
                where queue = (select id from sluice_queue where name = ?1) and sent_at <= ?2 limit ?3
            )
            """
        )
        deletion.bind(1, queue)
        deletion.bind(2, session.now.advanced(by: .zero - retention).milliseconds)
        deletion.bind(3, Int64(limit))
        try deletion.run()
        return session.connection.changes
    }
}
