// What a feed keeps in mind between reads: shards as they were listed, and iterators.
import SluiceCore
import Synchronization

/// Only to be quicker and more exact: without it a read goes by its position alone.
final class FeedMemory: Sendable {
    /// Where an iterator stands.
    struct Key: Hashable {
        let stream: String
        let place: ShardPlace
    }

    /// An iterator that may be read from.
    struct Found {
        let iterator: String
        let madeAt: Timestamp
        /// Before this it is not worth asking.
        let dueAt: Timestamp
    }

    private struct State {
        var maps: [String: ShardMap] = [:]
        /// The tables whose shards are known to be others by now.
        var outdated: Set<String> = []
        var iterators: [Key: Found] = [:]
    }

    /// An iterator is good for 15 minutes.
    private static let age: Duration = .seconds(14 * 60)
    private static let iteratorsMax = 1024

    private let state = Mutex(State())

    func map(of table: String) -> ShardMap? {
        state.withLock { $0.outdated.contains(table) ? nil : $0.maps[table] }
    }

    /// Keeps what was listed last, with when each shard was last seen open.
    func keep(_ map: ShardMap, of table: String) -> ShardMap {
        state.withLock { state in
            let map = state.maps[table].map { map.following($0) } ?? map
            state.maps[table] = map
            state.outdated.remove(table)
            return map
        }
    }

    /// Lets the next look list the shards anew, since one has ended after they were listed.
    func awaitChildren(in table: String) {
        _ = state.withLock { $0.outdated.insert(table) }
    }

    func iterator(at place: ShardPlace, in stream: String, now: Timestamp) -> Found? {
        state.withLock { state in
            guard let found = state.iterators[Key(stream: stream, place: place)] else { return nil }
            return found.madeAt.duration(to: now) < Self.age ? found : nil
        }
    }

    func keep(_ iterator: Found, at place: ShardPlace, in stream: String) {
        state.withLock { state in
            state.iterators[Key(stream: stream, place: place)] = iterator
            guard state.iterators.count > Self.iteratorsMax else { return }
            let oldest = state.iterators.values.map(\.madeAt).sorted()[Self.iteratorsMax / 2]
            state.iterators = state.iterators.filter { $0.value.madeAt > oldest }
        }
    }

    func forget(_ place: ShardPlace, in stream: String) {
        state.withLock { $0.iterators[Key(stream: stream, place: place)] = nil }
    }
}
