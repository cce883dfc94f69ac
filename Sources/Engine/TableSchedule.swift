// Ticks kept in a table: whoever moves the time of the last one does the work.
public import SluiceCore

/// A schedule on any table store, shared by everyone who shares the store.
///
/// A name's item holds when its work was last due; the caller that moves it on, conditionally, is to do the work.
public struct TableSchedule: Schedule {
    /// One item for each name: `last_at` in milliseconds since 1970, and `owner`, for those who look.
    public static let schema = TableSchema(name: "schedules", partitionKey: "name", sortKey: nil)

    private let tables: any TableStore
    private let clock: any Timekeeping
    private let owner: OwnerID

    public init(tables: any TableStore, clock: any Timekeeping, owner: OwnerID) {
        self.tables = tables
        self.clock = clock
        self.owner = owner
    }

    /// Whether the caller is to do the named work now.
    ///
    /// An error that leaves it unknown whether the caller had won may cost one interval, never two callers at once.
    public func isDue(_ name: String, every interval: Duration) async throws(PortError) -> Bool {
        let now = clock.now
        let latest = AttributeValue.int(now.advanced(by: .zero - interval).milliseconds)
        // A time in the future is a clock that was set back since; it must not stop the work for good.
        let isOver = Condition.any([
            .attributeAbsent("last_at"),
            .compare("last_at", .lessOrEqual, latest),
            .compare("last_at", .greater, .int(now.advanced(by: interval).milliseconds)),
        ])
        let move = TableAction(
            Self.schema,
            ItemKey(name),
            .update([.set("last_at", .int(now.milliseconds)), .set("owner", owner.attributeValue)]),
            if: isOver
        )
        // A look first: most callers come too early, and a read is cheaper than a write that fails.
        let item = try await tables.get(ItemKey(name), in: Self.schema)
        guard isOver.holds(for: item) else { return false }
        do {
            try await tables.transact([move])
            return true
        } catch {
            // Somebody else moved it meanwhile, or is about to.
            if error.code == .conditionFailed || error.code == .conflict { return false }
            throw error
        }
    }
}
