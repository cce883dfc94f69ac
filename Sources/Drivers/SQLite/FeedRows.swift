// The SQL of the change feed.
import SluiceCore

/// Changes as rows, numbered in the order of their commits.
enum FeedRows {
    static let kept = Duration.seconds(24 * 3600)

    static func append(
        table: String,
        partition: String,
        sort: String,
        old: [UInt8]?,
        new: [UInt8]?,
        in session: Session
    ) throws {
        let insertion = try session.connection.statement(
            "insert into sluice_feed(tbl, pk, sk, old, new, at) values (?1, ?2, ?3, ?4, ?5, ?6)"
        )
        insertion.bind(1, table)
        insertion.bind(2, partition)
        insertion.bind(3, sort)
        if let old { insertion.bind(4, text: old) } else { insertion.bindNull(4) }
        if let new { insertion.bind(5, text: new) } else { insertion.bindNull(5) }
        insertion.bind(6, session.now.milliseconds)
        try insertion.run()
        session.announce(.feed)
    }

    /// A change as it is stored.
    struct Row: Sendable {
        let partition: String
        let sort: String
        let old: [UInt8]?
        let new: [UInt8]?
    }

    /// What a look into the feed brought, and the number after which to go on.
    struct Look: Sendable {
        var rows: [Row] = []
        var next: Int64
    }

    /// The changes of a table after the number, or nil if some of them may have been trimmed.
    static func read(_ table: String, after start: Int64?, limit: Int, in session: Session) throws -> Look? {
        let trimmed =
            try session.connection.integer("select value from sluice_counter where name = 'feed_trimmed'") ?? 0
        let start = start ?? trimmed
        guard start >= trimmed else { return nil }
        let newest = try newest(in: session)
        let selection = try session.connection.statement(
            "select seq, pk, sk, old, new from sluice_feed where tbl = ?1 and seq > ?2 order by seq limit ?3"
        )
        defer { selection.reset() }
        selection.bind(1, table)
        selection.bind(2, start)
        selection.bind(3, Int64(limit))
        var look = Look(next: start)
        while try selection.step() {
            look.next = selection.integer(0)
            look.rows.append(
                Row(
                    partition: selection.text(1),
                    sort: selection.text(2),
                    old: selection.isNull(3) ? nil : selection.blob(3),
                    new: selection.isNull(4) ? nil : selection.blob(4)
                )
            )
        }
        // With nothing left to read, the place moves past other tables' changes, lest their trimming outdate it.
        if look.rows.count < limit { look.next = max(look.next, newest) }
        return look
    }

    /// The number of the newest change that was ever made.
    static func newest(in session: Session) throws -> Int64 {
        try session.connection.integer("select seq from sqlite_sequence where name = 'sluice_feed'") ?? 0
    }

    /// Removes up to `limit` changes that were kept long enough; answers how many.
    static func trim(_ limit: Int, in session: Session) throws -> Int {
        let selection = try session.connection.statement(
            "select max(seq) from (select seq, at from sluice_feed order by seq limit ?1) where at <= ?2"
        )
        defer { selection.reset() }
        selection.bind(1, Int64(limit))
        selection.bind(2, session.now.advanced(by: .zero - kept).milliseconds)
        guard try selection.step(), !selection.isNull(0) else { return 0 }
        let last = selection.integer(0)
        selection.reset()
        let deletion = try session.connection.statement("delete from sluice_feed where seq <= ?1")
        deletion.bind(1, last)
        try deletion.run()
        let removed = session.connection.changes
        let mark = try session.connection.statement(
            "update sluice_counter set value = ?1 where name = 'feed_trimmed'"
        )
        mark.bind(1, last)
        try mark.run()
        return removed
    }
}
