// The latest changes of a followed table, numbered.
import DequeModule
import SluiceCore

/// The changes of the last 24 hours, each with its number.
struct MemoryChanges {
    /// How long a change is kept, as DynamoDB Streams keep it.
    static let retention: Duration = .seconds(86_400)

    private struct Entry {
        let at: Timestamp
        let change: TableChange
    }

    private var entries: Deque<Entry> = []
    /// The number of the first entry that is kept; changes are numbered from 0.
    private var first = 0
    var bells = Bells()

    mutating func append(_ change: TableChange, now: Timestamp) {
        trim(now: now)
        entries.append(Entry(at: now, change: change))
        bells.ringAll()
    }

    /// Up to `limit` changes after a position, and where to go on.
    mutating func read(from position: FeedPosition, limit: Int, now: Timestamp) throws(PortError) -> FeedPage {
        guard limit >= 1 else { throw PortError(.invalidRequest, "a page holds 1 change or more, not \(limit)") }
        trim(now: now)
        let end = first + entries.count
        let next: Int
        switch position {
        case .start:
            next = first
        case .latest:
            next = end
        case .at(let text):
            guard let number = Int(text), (0...end).contains(number) else {
                throw PortError(.invalidRequest, "\"\(text)\" is not a position of this feed")
            }
            next = number
        }
        guard next >= first else {
            throw PortError(.notFound, "changes \(next) to \(first - 1) are no longer kept; go on from the start")
        }
        let found = entries[(next - first)...].prefix(limit)
        return FeedPage(changes: found.map(\.change), next: .at("\(next + found.count)"))
    }

    private mutating func trim(now: Timestamp) {
        let oldest = now.advanced(by: .zero - Self.retention)
        while let entry = entries.first, entry.at < oldest {
            entries.removeFirst()
            first += 1
        }
    }
}
