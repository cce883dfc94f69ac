// One connection to the database with its prepared statements.
import GRDB
import GRDBSQLite
import SluiceCore

/// The C side of a connection that GRDB opened: statements are prepared once and stepped without further ado.
///
/// `@unchecked Sendable`: it is made, used and closed on the serial queue of its GRDB database only, which `Lane` sees to.
final class Connection: @unchecked Sendable {
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]
    /// Numbers that the database has given away to messages, and no message has yet.
    var messageIDs: Range<Int64> = 0..<0

    /// Takes over the connection that a block on the database's queue was given.
    init(_ database: Database) throws {
        guard let handle = database.sqliteConnection else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the connection is closed")
        }
        self.handle = handle
    }

    deinit { finalize() }

    /// The statement for the text, ready to be bound; it stays prepared until the connection closes.
    func statement(_ sql: String) throws -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try Statement(sql, on: handle)
        statements[sql] = statement
        return statement
    }

    func run(_ sql: String) throws {
        try statement(sql).run()
    }

    /// Takes back what was written, all of it or up to a savepoint.
    func undo(_ sql: String) throws {
        // The database may have taken these back as well.
        messageIDs = 0..<0
        try run(sql)
    }

    /// Runs statements that are needed once, such as those that make tables.
    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(on: handle) }
    }

    /// The first column of the first row.
    func integer(_ sql: String) throws -> Int64? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    /// Does something that had better be left than waited for.
    func withoutWaiting(_ work: () throws -> Void) throws {
        let milliseconds = try integer("pragma busy_timeout") ?? 0
        sqlite3_busy_timeout(handle, 0)
        defer { sqlite3_busy_timeout(handle, Int32(milliseconds)) }
        try work()
    }

    /// Whether a transaction is open; SQLite ends it by itself on some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows changed by the last statement.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Gives the statements back; to be called before GRDB closes the connection.
    func finalize() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
    }
}

/// The error that the connection has just had.
func failure(on handle: OpaquePointer?) -> DatabaseError {
    DatabaseError(
        resultCode: ResultCode(rawValue: sqlite3_extended_errcode(handle)),
        message: String(cString: sqlite3_errmsg(handle))
    )
}
