// A stream's shards by their descent, and what it says of where to read next.
import SluiceCore

/// The shards of one stream as they were listed at one moment.
///
/// A shard that is split or worn out is closed, and its children go on with its items: read before it, they would tell a
/// later change of an item first.
struct ShardMap: Sendable {
    typealias Shard = DynamoDBStreams.Shard

    let arn: String
    let listedAt: Timestamp
    private let list: [Shard]
    private let byID: [String: Shard]
    private let byParent: [String: [Shard]]
    /// When a shard was last listed as open; its children were made later.
    private(set) var openAt: [String: Timestamp]

    init(arn: String, _ shards: [Shard], listedAt: Timestamp) {
        self.arn = arn
        self.listedAt = listedAt
        list = shards
        byID = Dictionary(shards.map { ($0.id, $0) }) { $1 }
        byParent = Dictionary(grouping: shards.filter { $0.parent != nil }) { $0.parent ?? "" }
        openAt = Dictionary(shards.filter { !$0.isClosed }.map { ($0.id, listedAt) }) { $1 }
    }

    /// This list with what an earlier one tells of shards that are closed by now.
    func following(_ earlier: ShardMap) -> ShardMap {
        guard earlier.arn == arn else { return self }
        var map = self
        // Of those that are listed no more, for a reader that has not come to their end.
        let gone = earlier.openAt.filter { byID[$0.key] != nil || earlier.byID[$0.key] != nil }
        map.openAt.merge(gone) { max($0, $1) }
        return map
    }

    /// When the stream was switched on, which tells it from the table's others.
    var stream: String { String(arn.split(separator: "/").last ?? "") }

    func isClosed(_ id: String) -> Bool { byID[id]?.isClosed ?? true }

    /// Those before which nothing is kept.
    var roots: [Shard] { list.filter { shard in shard.parent.map { byID[$0] == nil } ?? true } }

    /// Those behind which nothing is known.
    var leaves: [Shard] { list.filter { byParent[$0.id] == nil } }

    /// The front after what has ended made room for its children, and with shards that nothing else leads to.
    func renewed(_ front: [ShardPlace]) -> [ShardPlace] {
        var renewed: [ShardPlace] = []
        for place in front {
            guard case .ended(let seen) = place.mark else {
                renewed.append(place)
                continue
            }
            let children = byParent[place.id] ?? []
            let mark: ShardMark = seen.map { .since($0, tag: "") } ?? .oldest
            // One that is read to its end and gone without children is no loss.
            if children.isEmpty, byID[place.id] != nil { renewed.append(place) }
            for child in children where !front.contains(where: { $0.id == child.id }) {
                renewed.append(ShardPlace(id: child.id, mark: mark))
            }
        }
        return renewed + strangers(to: renewed).map { ShardPlace(id: $0.id, mark: .oldest) }
    }

    /// The first of those that neither led to the front nor come behind it.
    ///
    /// A list need not be up to date: one child may be on it before another.
    private func strangers(to front: [ShardPlace]) -> [Shard] {
        let heads = Set(front.map(\.id))
        var known = heads
        for head in heads {
            for ancestor in ancestors(of: head) where !known.insert(ancestor).inserted { break }
        }
        let strangers = list.filter { shard in
            !known.contains(shard.id) && !ancestors(of: shard.id).contains { heads.contains($0) }
        }
        let ids = Set(strangers.map(\.id))
        return strangers.filter { shard in shard.parent.map { !ids.contains($0) } ?? true }
    }

    /// The ids before a shard, nearest first, the first one that is gone included.
    private func ancestors(of id: String) -> [String] {
        var ancestors: [String] = []
        var next = byID[id]?.parent
        while let parent = next, ancestors.count < byID.count {
            ancestors.append(parent)
            next = byID[parent]?.parent
        }
        return ancestors
    }
}
