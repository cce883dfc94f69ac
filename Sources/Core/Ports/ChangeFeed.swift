// The port to a table's history: what was inserted and modified, in order for each item.

/// Inserts, modifications and removals of a followed table, with images before and after.
///
/// Delivers at least once, in order for each item; what was delivered may come again later, out of date. A reader keeps its
/// own position; changes are kept for 24 hours.
public protocol ChangeFeed: Sendable {
    /// Up to `limit` changes after `position`, and where to go on; waits up to `wait` for the first.
    ///
    /// A page without changes says that none were found, not that there are none.
    ///
    /// - Throws: `PortError`: `notFound` if changes after the position were trimmed, or may have been: go on from `.start`. A
    ///   feed may refuse a position so when nothing has happened after it for 24 hours.
    func read(
        _ schema: TableSchema,
        from position: FeedPosition,
        limit: Int,
        wait: Duration
    ) async throws(PortError) -> FeedPage
}

/// A place in a change feed.
public enum FeedPosition: Sendable, Hashable {
    /// The oldest change still kept.
    case start
    /// After the newest change at the moment of the call.
    ///
    /// None after it is left out. Some of the minutes before it may come too, if another process goes on from there.
    case latest
    /// Where a page said to go on; opaque to callers.
    case at(String)
}

/// One change of one item.
public struct TableChange: Sendable, Hashable {
    public let key: ItemKey
    /// Nil for an insert.
    public let old: AttributeMap?
    /// Nil for a removal.
    public let new: AttributeMap?

    public init(key: ItemKey, old: AttributeMap?, new: AttributeMap?) {
        self.key = key
        self.old = old
        self.new = new
    }
}

/// What one read of a feed brought.
public struct FeedPage: Sendable {
    public var changes: [TableChange]
    public var next: FeedPosition

    public init(changes: [TableChange], next: FeedPosition) {
        self.changes = changes
        self.next = next
    }
}
