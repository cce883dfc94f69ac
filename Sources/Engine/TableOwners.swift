// Who is at work, by what each process writes into a table: for platforms that can't prove that a process has ended.
public import Logging
public import SluiceCore
import Synchronization

/// The owners of a deployment, on any table store.
///
/// An owner is gone only if it said so by `end`. One that was killed is never known to be gone: what it holds comes free
/// when its leases are over.
public final class TableOwners: OwnerRegistry {
    /// One item for each owner: `started_at` and `last_seen_at`, `ended_at` once it has ended, and `expires`.
    public static let schema = TableSchema(name: "owners", partitionKey: "owner", sortKey: nil, ttl: "expires")

    /// How often an owner writes that it is there, and looks who else is.
    static let beat: Duration = .seconds(10)
    /// An owner that was silent for so long is not counted; it may live all the same.
    static let silence: Duration = .seconds(30)
    /// How long an item stays behind its last word: longer than any lease.
    private static let kept: Duration = .seconds(3600)

    public let own: OwnerID
    private let tables: any TableStore
    private let clock: any Timekeeping
    private let isOnlooker: Bool
    private let logger: Logger
    private let startedAt: Timestamp
    private let state = Mutex(State())

    private struct State {
        var view = OwnersView()
        var lookedAt: Timestamp?
        var isLooking = false
        var hasEnded = false
    }

    private init(own: OwnerID, tables: any TableStore, isOnlooker: Bool, clock: any Timekeeping, logger: Logger) {
        self.own = own
        self.tables = tables
        self.isOnlooker = isOnlooker
        self.clock = clock
        self.logger = logger
        startedAt = clock.now
    }

    /// Registers a process that works, or lets one look that doesn't and isn't counted.
    ///
    /// - Parameters:
    ///   - own: a name that no process had before.
    ///   - tables: where the others write, too.
    ///   - isOnlooker: whether nothing is to be written.
    ///   - clock: what the items say, and when to look again.
    ///   - logger: told when the table can't be reached later on.
    /// - Returns: a registry that knows of the others already.
    /// - Throws: what the table says, so that nobody begins to work who doesn't know of the others.
    public static func open(
        own: OwnerID,
        tables: any TableStore,
        isOnlooker: Bool = false,
        clock: any Timekeeping = WallClock(),
        logger: Logger
    ) async throws(PortError) -> TableOwners {
        let owners = TableOwners(own: own, tables: tables, isOnlooker: isOnlooker, clock: clock, logger: logger)
        try await owners.report()
        try await owners.look()
        return owners
    }

    /// Beats until it is cancelled; a worker runs it beside its work, and ends it before it calls `end`.
    public func run() async {
        while !Task.isCancelled {
            await refresh(after: Self.beat)
            try? await clock.sleep(until: clock.now.advanced(by: Self.beat), tolerance: nil)
        }
    }

    /// Whether the owner has said that it ended, as of a few seconds ago.
    public func isGone(_ owner: OwnerID) async -> Bool {
        guard owner != own else { return false }
        await refresh(after: Self.beat * 2)
        return state.withLock { $0.view.ended.contains(owner) }
    }

    /// How many owners have been heard of in the last half minute, this one included if it works; at least 1.
    ///
    /// While the table can't be reached it is what it was before.
    public func liveCount() async -> Int {
        await refresh(after: Self.beat * 2)
        return max(1, state.withLock { $0.view.live(besides: own).count } + (isOnlooker ? 0 : 1))
    }

    /// Whether anybody else has been heard of in the last half minute who works.
    public func othersAreLive() async -> Bool {
        await refresh(after: Self.beat * 2)
        return state.withLock { !$0.view.live(besides: own).isEmpty }
    }

    /// Says that this process works no more, so that what it held is free at once; to be called when that is so.
    ///
    /// If it can't be said, the others wait until its leases are over.
    public func end() async {
        let isFirst = state.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
        guard isFirst, !isOnlooker else { return }
        do {
            try await write([.set("ended_at", clock.now.attributeValue)])
        } catch {
            logger.warning(
                "this process ends, and couldn't say so; its leases have to run out",
                metadata: ["owner": "\(own)", "error": "\(error)"]
            )
        }
    }

    /// Beats and looks, unless that was done lately or is being done.
    private func refresh(after age: Duration) async {
        let now = clock.now
        let isMine = state.withLock { state in
            let isOld = state.lookedAt.map { $0.duration(to: now) >= age || now < $0 } ?? true
            guard isOld, !state.isLooking, !state.hasEnded else { return false }
            state.isLooking = true
            // A table that can't be reached is not asked again before the next beat.
            state.lookedAt = now
            return true
        }
        guard isMine else { return }
        defer { state.withLock { $0.isLooking = false } }
        do {
            try await report()
            try await look()
        } catch {
            guard error.code != .cancelled else { return }
            logger.warning(
                "the table of owners can't be reached; going by what was known of them before",
                metadata: ["error": "\(error)"]
            )
        }
    }

    private func report() async throws(PortError) {
        guard !isOnlooker else { return }
        try await write([.set("started_at", startedAt.attributeValue)])
    }

    private func write(_ changes: [AttributeChange]) async throws(PortError) {
        let now = clock.now
        let seen: [AttributeChange] = [
            .set("last_seen_at", now.attributeValue), .set("expires", .int(now.advanced(by: Self.kept).seconds)),
        ]
        try await tables.transact([TableAction(Self.schema, ItemKey(own.text), .update(changes + seen))])
    }

    private func look() async throws(PortError) {
        var items: [AttributeMap] = []
        var cursor: TableCursor?
        repeat {
            let page = try await tables.scan(Self.schema, limit: 1000, after: cursor).whole()
            items += page.items
            cursor = page.next
        } while cursor != nil
        let now = clock.now
        state.withLock { state in
            state.view.take(items, now: now)
            state.lookedAt = now
        }
    }
}

/// What is known of the owners, by the looks so far.
struct OwnersView {
    private struct Sign {
        let seen: String
        /// By this process's clock: when the owner's last word was new here.
        let noticedAt: Timestamp
    }

    private var signs: [OwnerID: Sign] = [:]
    private(set) var ended: Set<OwnerID> = []
    private var lookedAt = Timestamp(milliseconds: 0)

    /// Takes in a look at the whole table.
    mutating func take(_ items: [AttributeMap], now: Timestamp) {
        var signs: [OwnerID: Sign] = [:]
        var ended: Set<OwnerID> = []
        for item in items {
            guard case .string(let name)? = item["owner"] else { continue }
            let owner = OwnerID(name)
            if item["ended_at"] != nil {
                ended.insert(owner)
            } else if case .string(let seen)? = item["last_seen_at"] {
                signs[owner] = sign(of: owner, seen, now)
            }
        }
        self.signs = signs
        self.ended = ended
        lookedAt = now
    }

    /// Whose last word changes is there, whatever its clock says; only at first sight there is nothing else to go by.
    private func sign(of owner: OwnerID, _ seen: String, _ now: Timestamp) -> Sign {
        if let known = signs[owner] {
            return known.seen == seen ? known : Sign(seen: seen, noticedAt: now)
        }
        return Sign(seen: seen, noticedAt: min(now, Timestamp(seen) ?? now))
    }

    /// Those that were not silent for too long when the table was last seen.
    func live(besides own: OwnerID) -> [OwnerID] {
        signs.filter { $0.key != own && $0.value.noticedAt.duration(to: lookedAt) <= TableOwners.silence }.map(\.key)
    }
}
