// The SQL of queues.
import SluiceCore

/// The messages of one queue, as seen by work that runs on a connection.
struct QueueRows: Sendable {
    let number: Int64
    let setup: QueueSetup
    let deadLetters: Int64?

    /// The number of a queue, given to it when its name is first heard.
    static func number(of name: String, in session: Session) throws -> Int64 {
        let insertion = try session.connection.statement("insert or ignore into sluice_queue(name) values (?)")
        insertion.bind(1, name)
        try insertion.run()
        return try number(named: name, in: session)
    }

    static func number(named name: String, in session: Session) throws -> Int64 {
        let selection = try session.connection.statement("select id from sluice_queue where name = ?")
        defer { selection.reset() }
        selection.bind(1, name)
        guard try selection.step() else { throw PortError(.notFound, "there is no queue \(name)") }
        return selection.integer(0)
    }

    func insert(_ messages: [OutgoingMessage], in session: Session) throws {
        var id = try takeIDs(messages.count, in: session)
        let insertion = try session.connection.statement(
            """
            insert into sluice_message(id, queue, visible_at, receives, sent_at, owner, body)
            values (?1, ?2, ?3, 0, ?4, \(Schema.nobody), ?5)
            """
        )
        let now = session.now.milliseconds
        insertion.bind(2, number)
        insertion.bind(4, now)
        for message in messages {
            insertion.bind(1, id)
            insertion.bind(3, now + message.delay.milliseconds)
            insertion.bind(5, blob: message.body)
            try insertion.run()
            id += 1
        }
        // Even if all are delayed: who waits has to know until when.
        session.announce(.queue(number))
    }

    /// How many numbers are taken at once: the counter is written seldom, and few are lost when the process ends.
    private static let idsReserved: Int64 = 256

    /// The first of `count` numbers that no message has had or will have, so that an old receipt fits no new message.
    private func takeIDs(_ count: Int, in session: Session) throws -> Int64 {
        let connection = session.connection
        if connection.messageIDs.count < count {
            let wanted = max(Int64(count), Self.idsReserved)
            let update = try connection.statement(
                "update sluice_counter set value = value + ?1 where name = 'message' returning value - ?1 + 1"
            )
            defer { update.reset() }
            update.bind(1, wanted)
            guard try update.step() else { throw PortError(.unavailable, "the database has lost its message counter") }
            let first = update.integer(0)
            while try update.step() {}
            connection.messageIDs = first..<first + wanted
        }
        let first = connection.messageIDs.lowerBound
        connection.messageIDs.removeFirst(count)
        return first
    }

    func receive(
        _ limit: Int,
        invisible: Duration,
        by owner: Int64,
        in session: Session
    ) throws -> ReceiveAttempt {
        var attempt = ReceiveAttempt()
        let oldest = session.now.advanced(by: .zero - setup.retention)
        let hold = try holding(until: session.now.advanced(by: invisible), by: owner, in: session)
        // Each round takes at least one message out of sight, so that dead ones cannot hide a live one behind them.
        while attempt.messages.isEmpty {
            let candidates = try ready(limit, in: session)
            if candidates.isEmpty { return try lookAhead(for: owner, in: session) }
            for candidate in candidates {
                if candidate.sentAt <= oldest {
                    try remove(candidate.id, in: session)
                } else if let limit = setup.maxReceiveCount, candidate.receives >= limit, let deadLetters {
                    try bury(candidate.id, in: deadLetters, session)
                } else {
                    hold.bind(3, candidate.id)
                    try hold.run()
                    attempt.messages.append(candidate.received)
                }
            }
        }
        return attempt
    }

    private struct Candidate {
        let id: Int64
        let receives: Int64
        let sentAt: Timestamp
        let body: [UInt8]

        var received: ReceivedMessage {
            ReceivedMessage(
                receipt: Receipt(id: id, receives: receives + 1).messageReceipt,
                body: body,
                receiveCount: Int(receives + 1),
                sentAt: sentAt
            )
        }
    }

    private func ready(_ limit: Int, in session: Session) throws -> [Candidate] {
        let selection = try session.connection.statement(
            """
            select id, receives, sent_at, body from sluice_message
            where queue = ?1 and visible_at <= ?2 order by visible_at limit ?3
            """
        )
        defer { selection.reset() }
        selection.bind(1, number)
        selection.bind(2, session.now.milliseconds)
        selection.bind(3, Int64(limit))
        var candidates: [Candidate] = []
        candidates.reserveCapacity(min(limit, 128))
        while try selection.step() {
            candidates.append(
                Candidate(
                    id: selection.integer(0),
                    receives: selection.integer(1),
                    sentAt: Timestamp(milliseconds: selection.integer(2)),
                    body: selection.blob(3)
                )
            )
        }
        return candidates
    }

    /// The statement that hides a message, all bound but its number.
    private func holding(until visibleAt: Timestamp, by owner: Int64, in session: Session) throws -> Statement {
        let update = try session.connection.statement(
            "update sluice_message set visible_at = ?1, receives = receives + 1, owner = ?2 where id = ?3"
        )
        update.bind(1, visibleAt.milliseconds)
        update.bind(2, owner)
        return update
    }

    private func remove(_ id: Int64, in session: Session) throws {
        let deletion = try session.connection.statement("delete from sluice_message where id = ?")
        deletion.bind(1, id)
        try deletion.run()
    }

    /// Moves a message that nobody managed to handle; it keeps when it was sent and begins to be counted anew.
    private func bury(_ id: Int64, in deadLetters: Int64, _ session: Session) throws {
        let update = try session.connection.statement(
            """
            update sluice_message set queue = ?1, visible_at = ?2, receives = 0, owner = \(Schema.nobody) where id = ?3
            """
        )
        update.bind(1, deadLetters)
        update.bind(2, session.now.milliseconds)
        update.bind(3, id)
        try update.run()
        session.announce(.queue(deadLetters))
    }

    /// What a receiver that found nothing has to know in order to wait.
    private func lookAhead(for owner: Int64, in session: Session) throws -> ReceiveAttempt {
        let selection = try session.connection.statement(
            "select min(visible_at) from sluice_message where queue = ?1 and visible_at > ?2"
        )
        defer { selection.reset() }
        selection.bind(1, number)
        selection.bind(2, session.now.milliseconds)
        guard try selection.step(), !selection.isNull(0) else { return ReceiveAttempt() }
        return ReceiveAttempt(
            nextVisible: Timestamp(milliseconds: selection.integer(0)),
            others: try Store.others(than: owner, in: session)
        )
    }

    func delete(_ receipts: [MessageReceipt], in session: Session) throws {
        let deletion = try session.connection.statement(
            "delete from sluice_message where id = ?1 and receives = ?2 and queue = ?3"
        )
        deletion.bind(3, number)
        for receipt in receipts.compactMap(Receipt.init) {
            deletion.bind(1, receipt.id)
            deletion.bind(2, receipt.receives)
            try deletion.run()
        }
    }

    func hide(
        _ receipts: [MessageReceipt],
        for invisible: Duration,
        by owner: Int64,
        in session: Session
    ) throws {
        let update = try session.connection.statement(
            """
            update sluice_message set visible_at = ?1, owner = ?2
            where id = ?3 and receives = ?4 and queue = ?5
            """
        )
        update.bind(1, session.now.advanced(by: max(.zero, invisible)).milliseconds)
        update.bind(2, invisible > .zero ? owner : Schema.nobody)
        update.bind(5, number)
        for receipt in receipts.compactMap(Receipt.init) {
            update.bind(3, receipt.id)
            update.bind(4, receipt.receives)
            try update.run()
        }
        if invisible <= .zero { session.announce(.queue(number)) }
    }

    static func depth(of number: Int64, at now: Timestamp, in session: Session) throws -> QueueDepth {
        let selection = try session.connection.statement(
            """
            select
                (select count(*) from sluice_message where queue = ?1 and visible_at <= ?2),
                count(*) filter (where receives > 0),
                count(*) filter (where receives = 0)
            from sluice_message where queue = ?1 and visible_at > ?2
            """
        )
        defer { selection.reset() }
        selection.bind(1, number)
        selection.bind(2, now.milliseconds)
        guard try selection.step() else { return QueueDepth() }
        return QueueDepth(
            visible: Int(selection.integer(0)),
            invisible: Int(selection.integer(1)),
            delayed: Int(selection.integer(2))
        )
    }
}

/// A receipt's text: the message's number and the count of the receive that it stands for, `1234.1`.
struct Receipt {
    let id: Int64
    let receives: Int64

    init(id: Int64, receives: Int64) {
        self.id = id
        self.receives = receives
    }

    /// Nil for a text that no queue of ours gave out, which is out of date like any other unknown one.
    init?(_ receipt: MessageReceipt) {
        // By hand, because this is done for each message that is deleted.
        var numbers: (Int64, Int64) = (0, 0)
        var digits = 0
        var dots = 0
        for byte in receipt.token.utf8 {
            if byte == UInt8(ascii: ".") {
                guard dots == 0, digits > 0 else { return nil }
                (numbers.1, numbers.0) = (numbers.0, 0)
                (dots, digits) = (1, 0)
                continue
            }
            digits += 1
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits <= 18 else { return nil }
            numbers.0 = numbers.0 * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        guard dots == 1, digits > 0 else { return nil }
        self.init(id: numbers.1, receives: numbers.0)
    }

    var messageReceipt: MessageReceipt { MessageReceipt(token: "\(id).\(receives)") }
}
