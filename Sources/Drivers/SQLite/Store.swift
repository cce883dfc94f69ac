// What all ports of one opened database share.
import SluiceCore
import Synchronization

/// The lanes to the file, the doorbell and the clock.
final class Store: Sendable {
    let path: String
    let clock: any Timekeeping
    let writer: Lane
    let readers: [Lane]
    let doorbell: Doorbell
    let owners: SQLiteOwners
    /// The number under which this owner's received messages are kept.
    let ownerNumber: Int64
    private let nextReader = Atomic<Int>(0)

    init(
        path: String,
        clock: any Timekeeping,
        writer: Lane,
        readers: [Lane],
        doorbell: Doorbell,
        owners: SQLiteOwners,
        ownerNumber: Int64
    ) {
        self.path = path
        self.clock = clock
        self.writer = writer
        self.readers = readers
        self.doorbell = doorbell
        self.owners = owners
        self.ownerNumber = ownerNumber
    }

    /// Reads in a snapshot that holds every write that returned before the call.
    func read<Answer: Sendable>(
        _ work: @escaping @Sendable (Session) throws -> Answer
    ) async throws(PortError) -> Answer {
        let turn = nextReader.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await readers[Int(turn.magnitude % UInt(readers.count))].perform(work)
    }

    /// Writes in a transaction that is committed on return.
    func write<Answer: Sendable>(
        _ work: @escaping @Sendable (Session) throws -> Answer
    ) async throws(PortError) -> Answer {
        try await writer.perform(work)
    }

    /// Makes messages visible whose receivers have ended; true if there may be any.
    @discardableResult
    func releaseMessagesOfTheGone() async throws(PortError) -> Bool {
        let own = ownerNumber
        let others = try await read { try Self.others(than: own, in: $0) }
        return try await releaseMessages(of: others)
    }

    /// Makes messages visible that ended ones of the owners held; true if there may be any.
    func releaseMessages(of others: [OwnerRow]) async throws(PortError) -> Bool {
        let gone = others.filter { owners.hasEnded($0.name) }
        guard !gone.isEmpty else { return false }
        try await write { session in
            for owner in gone { try Self.release(owner.id, in: session) }
        }
        return true
    }

    static func others(than own: Int64, in session: Session) throws -> [OwnerRow] {
        let statement = try session.connection.statement("select id, name from sluice_owner where id <> ?")
        defer { statement.reset() }
        statement.bind(1, own)
        var owners: [OwnerRow] = []
        while try statement.step() { owners.append(OwnerRow(id: statement.integer(0), name: statement.text(1))) }
        return owners
    }

    private static func release(_ owner: Int64, in session: Session) throws {
        let queues = try queueNumbers(in: session)
        let update = try session.connection.statement(
            """
            update sluice_message set visible_at = ?1, owner = \(Schema.nobody)
            where queue = ?2 and visible_at > ?1 and owner = ?3
            """
        )
        for queue in queues {
            update.bind(1, session.now.milliseconds)
            update.bind(2, queue)
            update.bind(3, owner)
            try update.run()
            if session.connection.changes > 0 { session.announce(.queue(queue)) }
        }
        let removal = try session.connection.statement("delete from sluice_owner where id = ?")
        removal.bind(1, owner)
        try removal.run()
    }

    static func queueNumbers(in session: Session) throws -> [Int64] {
        let statement = try session.connection.statement("select id from sluice_queue")
        defer { statement.reset() }
        var numbers: [Int64] = []
        while try statement.step() { numbers.append(statement.integer(0)) }
        return numbers
    }
}

/// An owner as the database knows it.
struct OwnerRow: Sendable {
    let id: Int64
    let name: String
}
