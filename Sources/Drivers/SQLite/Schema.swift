// The tables that are ours whatever is stored, and the version they carry.
import GRDB
import SluiceCore

/// Checks and makes the database's own tables.
enum Schema {
    /// Refuses what is not ours or newer than we are; to be called before anything is changed, and outside a transaction.
    ///
    /// In one transaction, since another process may be making the tables at this moment: its tables seen without its
    /// mark would look like another program's.
    static func check(_ database: Database, path: String) throws {
        try database.inTransaction(.deferred) {
            try checkInTransaction(database, path: path)
            return .commit
        }
    }

    private static func checkInTransaction(_ database: Database, path: String) throws {
        let version = try Int.fetchOne(database, sql: "pragma user_version") ?? 0
        let application = try Int.fetchOne(database, sql: "pragma application_id") ?? 0
        let tables = try Int.fetchOne(database, sql: "select count(*) from sqlite_schema") ?? 0
        if application == SQLiteFile.applicationID, version <= SQLiteFile.version { return }
        if application == SQLiteFile.applicationID {
            let message =
                "the database \(path) was written by a newer sluice (its schema is version \(version), this one "
                + "knows \(SQLiteFile.version)); update sluice, or name another database"
            throw PortError(.invalidRequest, message)
        }
        guard tables == 0, application == 0, version == 0 else {
            let message = "\(path) is another program's SQLite database; name another path for sluice's own"
            throw PortError(.invalidRequest, message)
        }
    }

    static func isMade(_ database: Database) throws -> Bool {
        try Int.fetchOne(database, sql: "pragma application_id") == SQLiteFile.applicationID
    }

    /// Makes the tables in a new file, inside the caller's transaction; in a standing one it does nothing.
    static func make(_ database: Database, path: String) throws {
        try checkInTransaction(database, path: path)
        guard try !isMade(database) else { return }
        try database.execute(sql: tables)
        try database.execute(sql: "pragma application_id = \(SQLiteFile.applicationID)")
        try database.execute(sql: "pragma user_version = \(SQLiteFile.version)")
    }

    /// The number that stands for no owner; owners' numbers follow it and take as many bytes, so that receiving a
    /// message changes its row in place, however large its body.
    static let nobody: Int64 = 32768

    private static let tables = """
        create table sluice_counter(name text primary key, value integer not null) without rowid;
        insert into sluice_counter values ('message', 0), ('feed_trimmed', 0);

        create table sluice_owner(id integer primary key autoincrement, name text not null unique);
        insert into sqlite_sequence(name, seq) values ('sluice_owner', \(nobody));

        create table sluice_table(name text primary key, followed integer not null) without rowid;

        create table sluice_queue(id integer primary key, name text not null unique);

        create table sluice_message(
            id integer primary key,
            queue integer not null,
            visible_at integer not null,
            receives integer not null,
            sent_at integer not null,
            owner integer not null,
            body blob not null
        );
        create index sluice_message_ready on sluice_message(queue, visible_at);

        create table sluice_feed(
            seq integer primary key autoincrement,
            tbl text not null,
            pk text not null,
            sk text not null,
            old text,
            new text,
            at integer not null
        );
        create index sluice_feed_table on sluice_feed(tbl, seq);
        """
}
