// The steps from a path to an opened database, each with its own way to fail.
import Foundation
import GRDB
import Glibc
import SluiceCore

/// Opens the file on a thread that may be blocked.
struct Opening {
    let options: SQLiteOptions

    private static let readerCount = 2

    func run() throws(PortError) -> (Store, SQLiteOwners) {
        let path = options.path
        try makeFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        let writing: DatabaseQueue
        do { writing = try openWriter() } catch { throw PortError(error, path: path) }
        let owners = try SQLiteOwners(
            folder: path + ".owners",
            isOnlooker: options.isOnlooker,
            random: options.random
        )
        do {
            let doorbell = try Doorbell(path: path + ".owners/doorbell")
            let number = try writing.write { database in
                try database.execute(sql: "insert into sluice_owner(name) values (?)", arguments: [owners.own.text])
                return database.lastInsertedRowID
            }
            let told: @Sendable (Set<Topic>) -> Void = { doorbell.ring($0) }
            let writer = try Lane(writing, for: .writing, path: path, clock: options.clock, told: told)
            var readers: [Lane] = []
            for _ in 0..<Self.readerCount {
                readers.append(try Lane(openReader(), for: .reading, path: path, clock: options.clock, told: told))
            }
            let store = Store(
                path: path,
                clock: options.clock,
                writer: writer,
                readers: readers,
                doorbell: doorbell,
                owners: owners,
                ownerNumber: number
            )
            return (store, owners)
        } catch {
            owners.leave()
            throw PortError(error, path: path)
        }
    }

    /// Opens, checks and if need be makes the database.
    private func openWriter() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "sluice.sqlite.writer"
        configuration.busyMode = .timeout(options.busyWait.inSeconds)
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { [path = options.path] database in
            // Before the journal mode, which fixes the size of pages; a standing file keeps its own.
            try database.execute(sql: "pragma page_size = \(SQLiteFile.pageBytes)")
            try Schema.check(database, path: path)
        }
        let writing = try persisting { try DatabaseQueue(path: options.path, configuration: configuration) }
        try persisting {
            try writing.writeWithoutTransaction { database in
                try tune(database, cacheKiB: SQLiteFile.writerCacheKiB)
                try database.execute(sql: "pragma wal_autocheckpoint = \(SQLiteFile.checkpointPages)")
                try database.execute(sql: "pragma journal_size_limit = \(SQLiteFile.walBytesKept)")
                try setDurability(database)
                guard try !Schema.isMade(database) else { return }
                try database.inTransaction(.immediate) {
                    try Schema.make(database, path: options.path)
                    return .commit
                }
            }
        }
        return writing
    }

    private func openReader() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "sluice.sqlite.reader"
        configuration.busyMode = .timeout(options.busyWait.inSeconds)
        configuration.readonly = true
        configuration.foreignKeysEnabled = false
        let reading = try persisting { try DatabaseQueue(path: options.path, configuration: configuration) }
        try reading.writeWithoutTransaction { try tune($0, cacheKiB: SQLiteFile.readerCacheKiB) }
        return reading
    }

    private func tune(_ database: Database, cacheKiB: Int) throws {
        try database.execute(sql: "pragma cache_size = -\(cacheKiB)")
        try database.execute(sql: "pragma temp_store = memory")
    }

    /// After GRDB switched the write-ahead log on, because it then sets `synchronous` to NORMAL.
    private func setDurability(_ database: Database) throws {
        let wanted = options.durability == .full ? 2 : 1
        try database.execute(sql: "pragma synchronous = \(wanted)")
        let got = try Int.fetchOne(database, sql: "pragma synchronous")
        let journal = try String.fetchOne(database, sql: "pragma journal_mode")
        guard got == wanted, journal == "wal" else {
            let message =
                "the database \(options.path) cannot be made durable: synchronous is \(got ?? -1), "
                + "journal_mode \(journal ?? "unknown")"
            throw PortError(.unavailable, message)
        }
    }

    /// Tries again while the file is locked in a way that SQLite does not wait for by itself, as when two processes
    /// switch the write-ahead log on at once.
    private func persisting<Value>(_ attempt: () throws -> Value) throws -> Value {
        let deadline = ContinuousClock.now.advanced(by: options.busyWait)
        while true {
            do {
                return try attempt()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
            {
                usleep(10_000)
            }
        }
    }
}
