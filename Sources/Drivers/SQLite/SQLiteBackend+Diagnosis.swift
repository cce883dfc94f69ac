// What `sluice doctor` wants to know about the database.
import GRDB
public import SluiceCore

/// The state of a database, as found.
public struct DatabaseDiagnosis: Sendable, Hashable {
    public var path = ""
    public var sqliteVersion = ""
    public var schemaVersion = 0
    public var journalMode = ""
    /// 2 is FULL, 1 is NORMAL.
    public var synchronous = 0
    /// Empty if the file is sound; otherwise what SQLite found.
    public var damage: [String] = []
    public var databaseBytes = 0
    /// Room on the device, if the system says.
    public var freeBytes: Int?
    /// Rows of each table, expired ones included; told, as the queues are, only if the file is sound.
    public var items: [String: Int] = [:]
    public var queues: [String: QueueDepth] = [:]
    public var liveOwners: [String] = []

    public init() {}

    public var isSound: Bool { damage.isEmpty && journalMode == "wal" && synchronous >= 1 }
}

extension SQLiteBackend {
    /// Looks the database over.
    ///
    /// Reads the whole file; `thoroughly` also compares every index with its table.
    public func diagnose(thoroughly: Bool = false) async throws(PortError) -> DatabaseDiagnosis {
        // The connection that writes is asked about its settings; they differ from connection to connection.
        var diagnosis = try await store.write { session in
            var diagnosis = DatabaseDiagnosis()
            diagnosis.journalMode = try session.texts("pragma journal_mode").first ?? ""
            diagnosis.synchronous = Int(try session.connection.integer("pragma synchronous") ?? 0)
            return diagnosis
        }
        diagnosis.path = path
        diagnosis.freeBytes = freeBytes(beside: path)
        diagnosis.liveOwners = owners.live().sorted()
        let found = diagnosis
        return try await store.read { session in
            var diagnosis = found
            diagnosis.sqliteVersion = try session.texts("select sqlite_version()").first ?? ""
            diagnosis.schemaVersion = Int(try session.connection.integer("pragma user_version") ?? 0)
            diagnosis.damage = try session.damage(thoroughly ? "pragma integrity_check" : "pragma quick_check")
            let pages = try session.connection.integer("pragma page_count") ?? 0
            diagnosis.databaseBytes = Int(pages * (try session.connection.integer("pragma page_size") ?? 0))
            // Counting would run into the damage and hide its description behind an error.
            guard diagnosis.damage.isEmpty else { return diagnosis }
            for table in try session.texts("select name from sluice_table") {
                diagnosis.items[table] = Int(try session.connection.integer("select count(*) from \"\(table)\"") ?? 0)
            }
            for name in try session.texts("select name from sluice_queue") {
                let number = try QueueRows.number(named: name, in: session)
                diagnosis.queues[name] = try QueueRows.depth(of: number, at: session.now, in: session)
            }
            return diagnosis
        }
    }
}

extension Session {
    /// What a check complains of; it may itself run into the damage that it reports.
    fileprivate func damage(_ check: String) throws -> [String] {
        do {
            let complaints = try texts(check)
            return complaints == ["ok"] ? [] : complaints
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return [error.message ?? "the file is damaged"]
        }
    }

    /// The first column of all rows.
    fileprivate func texts(_ sql: String) throws -> [String] {
        let statement = try connection.statement(sql)
        defer { statement.reset() }
        var texts: [String] = []
        while try statement.step() { texts.append(statement.text(0)) }
        return texts
    }
}
