// How far a stream has been read, and that as a text.
import SluiceCore

/// How far one shard has been read.
enum ShardMark: Sendable, Hashable {
    /// Not at all: it is to be read from the oldest change that is kept, whichever that is by then.
    case oldest
    /// Not at all, but nothing that was made before the moment is missing.
    ///
    /// The tag tells two moments that are the same: `latest` keeps in mind where each of them was.
    case since(Timestamp, tag: String)
    /// Up to a record, which was made at the moment.
    case after(String, at: Timestamp)
    /// To its end, while its children are not known yet; nothing that they hold was made before the moment.
    case ended(Timestamp?)

    /// All that was made before it was read, or need not be.
    var seen: Timestamp? {
        switch self {
        case .oldest: nil
        case .since(let moment, _), .after(_, let moment): moment
        case .ended(let moment): moment
        }
    }

    var hasEnded: Bool {
        if case .ended = self { true } else { false }
    }

    /// Whether no record behind it can be named.
    var isUnread: Bool {
        switch self {
        case .oldest, .since: true
        case .after, .ended: false
        }
    }
}

/// A shard of the front: what is before it has been read.
struct ShardPlace: Sendable, Hashable {
    let id: String
    var mark: ShardMark
}

/// The front of reading in one stream.
struct FeedPlace: Sendable, Hashable {
    /// Which of a table's streams: when it was switched on.
    let stream: String
    /// In the order in which they are asked next.
    var shards: [ShardPlace]

    init(stream: String, shards: [ShardPlace]) {
        self.stream = stream
        self.shards = shards
    }

    /// Reads what `text` has written; nil for anything else.
    init?(_ text: String) {
        guard let parts = (try? JSONValue.parse(Array(text.utf8)))?.arrayValue, let stream = parts.first?.stringValue
        else { return nil }
        self.stream = stream
        shards = []
        for part in parts.dropFirst() {
            guard let words = part.arrayValue, let id = words.first?.stringValue,
                let mark = ShardMark(words.dropFirst().map { $0.stringValue ?? "" })
            else { return nil }
            shards.append(ShardPlace(id: id, mark: mark))
        }
    }

    var text: String {
        let parts = shards.map { shard in JSONValue.array(([shard.id] + shard.mark.words).map { .string($0) }) }
        return String(decoding: JSONValue.array([.string(stream)] + parts).bytes(), as: UTF8.self)
    }
}

extension ShardMark {
    fileprivate init?(_ words: [String]) {
        let moment = words.last.flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        switch (words.first, words.count, moment) {
        case ("oldest", 1, _): self = .oldest
        case ("since", 3, let moment?): self = .since(moment, tag: words[1])
        case ("after", 3, let moment?): self = .after(words[1], at: moment)
        case ("ended", 1, _): self = .ended(nil)
        case ("ended", 2, let moment?): self = .ended(moment)
        default: return nil
        }
    }

    fileprivate var words: [String] {
        switch self {
        case .oldest: ["oldest"]
        case .since(let moment, let tag): ["since", tag, "\(moment.milliseconds)"]
        case .after(let number, let moment): ["after", number, "\(moment.milliseconds)"]
        case .ended(let moment): ["ended"] + (moment.map { ["\($0.milliseconds)"] } ?? [])
        }
    }
}
