// Ports whose every call is one step of a simulation, and whose answers may be lost.
import SluiceCore

/// Table calls, one step each.
///
/// As a fault, a write's answer is lost, whether it was applied, is applied some steps later or never, or another is in
/// the way.
struct SteppedTables: TableStore {
    let base: any TableStore
    let scheduler: Scheduler
    let faults: FaultRates

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await scheduler.step("get \(key)")
        return try await base.get(key, in: schema)
    }

    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        // Not one snapshot: other workers may write between two of its reads.
        var items: [AttributeMap?] = []
        for key in keys { items.append(try await get(key, in: schema)) }
        return items
    }

    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try await scheduler.step("query \(schema.name) \(query.partition)")
        return try await base.query(query, in: schema)
    }

    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage {
        try await scheduler.step("scan \(schema.name)")
        return try await base.scan(schema, limit: limit, after: after)
    }

    func transact(_ actions: [TableAction]) async throws(PortError) {
        try await scheduler.step("transact \(actions.map { "\($0.key)" })")
        let base = base
        try await faults.strike(scheduler, "transact", mayBeLate: true) { () throws(PortError) in
            try await base.transact(actions)
        }
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        for action in actions {
            try await scheduler.step("write \(action.key)")
            let base = base
            try await faults.strike(scheduler, "write") { () throws(PortError) in try await base.writeEach([action]) }
        }
    }
}

/// Queue calls, one step each.
///
/// As a fault, a send's answer is lost, and what was deleted comes again, at once or days later.
struct SteppedQueue: MessageQueue {
    let base: any MessageQueue
    let scheduler: Scheduler
    let faults: FaultRates

    var name: String { base.name }
    var bodyBytesMax: Int { base.bodyBytesMax }

    func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        for message in messages {
            try await scheduler.step("send to \(name)")
            let base = base
            try await faults.strike(scheduler, "send") { () throws(PortError) in try await base.send([message]) }
        }
    }

    func receive(limit: Int, invisible: Duration, wait: Duration) async throws(PortError) -> [ReceivedMessage] {
        try await scheduler.step("receive from \(name)")
        return try await base.receive(limit: limit, invisible: invisible, wait: .zero)
    }

    func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        try await scheduler.step("delete from \(name)")
        if !scheduler.isDraining, scheduler.chance(faults.duplicates) {
            // Still there, for whoever receives it when its time is over.
            let again: Duration = scheduler.chance(50) ? .zero : .seconds(900)
            scheduler.say("FAULT a message of \(name) comes again after \(again)")
            try await base.changeVisibility(receipts, invisible: again)
            return
        }
        try await base.delete(receipts)
    }

    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try await scheduler.step("hide in \(name)")
        try await base.changeVisibility(receipts, invisible: invisible)
    }

    func depth() async throws(PortError) -> QueueDepth {
        try await scheduler.step("depth of \(name)")
        return try await base.depth()
    }
}

/// Object calls, one step each.
struct SteppedObjects: ObjectStore {
    let base: any ObjectStore
    let scheduler: Scheduler
    let faults: FaultRates

    func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try await scheduler.step("put \(key)")
        let base = base
        try await faults.strike(scheduler, "put") { () throws(PortError) in
            try await base.put(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
        }
    }

    func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        try await scheduler.step("read \(key)")
        return try await base.read(key, range: range)
    }

    func size(of key: String) async throws(PortError) -> Int? { try await base.size(of: key) }
    func write(_ key: String) async throws(PortError) -> any ObjectWriter { try await base.write(key) }

    func delete(_ keys: [String]) async throws(PortError) {
        try await scheduler.step("delete \(keys)")
        try await base.delete(keys)
    }

    func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await scheduler.step("list \(prefix)")
        return try await base.list(prefix: prefix, after: after, limit: limit)
    }
}

/// The atomic backend, one step a commit.
struct SteppedAtomic: AtomicBackend {
    let base: any AtomicBackend
    let scheduler: Scheduler
    let faults: FaultRates

    func commit(_ batch: AtomicBatch) async throws(PortError) {
        try await scheduler.step("commit \(batch.actions.map { "\($0.key)" }) sends \(batch.sends.map(\.queue))")
        let base = base
        try await faults.strike(scheduler, "commit", mayBeLate: true) { () throws(PortError) in
            try await base.commit(batch)
        }
    }
}

/// How often answers are lost, in percent of calls; never while the simulation drains.
struct FaultRates: Sendable {
    var lostAnswers = 0
    var conflicts = 0
    var duplicates = 0
    /// Of the calls that were not applied when their answer was lost, those that are applied afterwards.
    var late = 50

    private static let lateStepsMax = 60

    func strike(
        _ scheduler: Scheduler,
        _ what: String,
        mayBeLate: Bool = false,
        _ call: @escaping @Sendable () async throws(PortError) -> Void
    ) async throws(PortError) {
        scheduler.touch()
        guard !scheduler.isDraining else { return try await call() }
        if scheduler.chance(conflicts) {
            scheduler.say("FAULT \(what): another is in the way")
            throw PortError(.conflict, "another is in the way")
        }
        guard scheduler.chance(lostAnswers) else { return try await call() }
        if scheduler.chance(50) {
            scheduler.say("FAULT \(what): applied, answer lost")
            try await call()
        } else if mayBeLate, scheduler.chance(late) {
            let steps = 1 + scheduler.pick(Self.lateStepsMax)
            scheduler.say("FAULT \(what): applied only after \(steps) steps, answer lost")
            scheduler.apply(what, after: steps, call)
        } else {
            scheduler.say("FAULT \(what): not applied, answer lost")
        }
        throw PortError(.timedOut, "the answer was lost")
    }
}
