// A backend in one SQLite file: opens it, hands out its ports, closes it.
import Dispatch
import GRDB
public import SluiceCore

/// Tables, queues, change feed and owners in one file that any number of processes may open at once.
///
/// Each opening is an owner of its own. What a port's write returned for is on the device (`Durability.full`). "Database is
/// locked" is never thrown: a write waits for another process's to end, and throws `unavailable` if that takes a minute.
/// Waits go by the injected clock. Call `close` at the end; a process that ends without it loses nothing.
public final class SQLiteBackend: Sendable {
    public let path: String
    public let owners: SQLiteOwners
    public let tables: SQLiteTables
    public let feed: SQLiteFeed
    let store: Store
    let setups: [QueueSetup]
    private let named: [String: SQLiteQueue]

    private init(store: Store, owners: SQLiteOwners, setups: [QueueSetup], queues: [String: SQLiteQueue]) {
        path = store.path
        self.store = store
        self.owners = owners
        self.setups = setups
        tables = SQLiteTables(store: store)
        feed = SQLiteFeed(store: store, tables: tables)
        named = queues
    }

    /// Opens the file, and makes it and its folder if need be; blocks no thread of Swift's pool.
    ///
    /// - Throws: `PortError`: `invalidRequest` if the file is not a database, damaged, another program's or a newer
    ///   sluice's; `unauthorized` if it cannot be read or written; `outOfSpace`; `unavailable` if another process keeps it
    ///   locked.
    public static func open(_ options: SQLiteOptions) async throws(PortError) -> SQLiteBackend {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<(Store, SQLiteOwners), PortError>, Never>) in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(PortError) in
                        let opening = Opening(options: options)
                        return try opening.run()
                    }
                )
            }
        }
        let (store, owners) = try result.get()
        var queues: [String: SQLiteQueue] = [:]
        for queue in try await SQLiteQueue.make(options.queues, in: store) { queues[queue.name] = queue }
        let backend = SQLiteBackend(store: store, owners: owners, setups: options.queues, queues: queues)
        try await store.releaseMessagesOfTheGone()
        return backend
    }

    /// The queue of the name, if the backend was opened with it.
    public func queue(_ name: String) -> SQLiteQueue? { named[name] }

    /// Everything in one hand; objects are kept elsewhere and handed in.
    ///
    /// - Throws: `PortError`: `notFound` if the backend was opened without the queues of the house.
    public func backend(objects: any ObjectStore) throws(PortError) -> Backend {
        func wanted(_ name: String) throws(PortError) -> any MessageQueue {
            guard let queue = named[name] else {
                throw PortError(.notFound, "the database \(path) was opened without the queue \(name)")
            }
            return queue
        }
        return Backend(
            tables: tables,
            queues: Queues(
                replay: try wanted("replay"),
                replayDeadLetters: try wanted("replay-dead-letters"),
                progress: try wanted("progress"),
                progressDeadLetters: try wanted("progress-dead-letters")
            ),
            objects: objects,
            feed: feed,
            owners: owners,
            atomic: self
        )
    }

    /// Finishes what is under way, closes the file and ends this owner; whoever waits gets `unavailable` or nothing.
    public func close() async throws(PortError) {
        store.doorbell.ringAll()
        defer { owners.leave() }
        for reader in store.readers { try await reader.close() }
        try await store.writer.close()
    }
}
