// A stream with all that an emulator has not: shards that split and vanish, pages of them, iterators that expire.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization

@testable import AWSDriver

/// DynamoDB and its Streams for one table, as far as a feed asks them.
final class StreamModel: Sendable {
    struct Record {
        let number: Int
        let key: String
        let value: Int
        let madeAt: Timestamp
    }

    struct Shard {
        let id: String
        let parent: String?
        /// Whose changes it gets.
        var keys: Set<String>
        var closedAt: Timestamp?
        var isListed = true
        var records: [Record] = []
        /// How many records were trimmed, counted in `records`.
        var trimmed = 0

        var isClosed: Bool { closedAt != nil }
    }

    struct State {
        var shards: [Shard] = []
        var number = 100
        var label = "2026-01-01T00:00:00.000"
        var view: String? = "NEW_AND_OLD_IMAGES"
        var isTableThere = true
        var shardsPerPage = 100
        /// Iterators of an earlier generation are expired.
        var generation = 0
        /// Every so many calls bring nothing, though something is behind.
        var emptyEvery = 0
        var calls: [String: Int] = [:]
        var starts: [String] = []
        var values: [String: Int] = [:]
    }

    static let schema = TableSchema(name: "t", partitionKey: "id", sortKey: nil, isFollowed: true)

    let clock: LeapingClock
    private let state = Mutex(State())

    init(_ clock: LeapingClock = LeapingClock(), keys: Set<String> = ["a", "b", "c", "d"]) {
        self.clock = clock
        state.withLock { $0.shards = [Shard(id: "shard-0", parent: nil, keys: keys)] }
    }

    func with<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        try state.withLock { state in try body(&state) }
    }

    func calls(_ operation: String) -> Int { with { $0.calls[operation] ?? 0 } }

    var openShards: [String] { with { $0.shards.filter { !$0.isClosed }.map(\.id) } }

    /// Changes an item: its value is one more each time.
    func write(_ keys: String...) {
        let now = clock.now
        with { state in
            for key in keys {
                guard let index = state.shards.firstIndex(where: { !$0.isClosed && $0.keys.contains(key) }) else {
                    continue
                }
                state.number += 7
                let value = (state.values[key] ?? 0) + 1
                state.values[key] = value
                state.shards[index].records.append(
                    Record(number: state.number, key: key, value: value, madeAt: now)
                )
            }
        }
    }

    /// Closes a shard; the others go on with its keys.
    func split(_ id: String, into count: Int = 2) {
        let now = clock.now
        with { state in
            guard let index = state.shards.firstIndex(where: { $0.id == id }) else { return }
            state.shards[index].closedAt = now
            let keys = state.shards[index].keys.sorted()
            for child in 0..<count {
                let own = keys.enumerated().filter { $0.offset % count == child }.map(\.element)
                state.shards.append(Shard(id: "shard-\(state.shards.count)", parent: id, keys: Set(own)))
            }
        }
    }

    /// Trims what was made before the moment; shards that were closed before it vanish.
    func trim(before moment: Timestamp) {
        with { state in
            for index in state.shards.indices {
                let kept = state.shards[index].records.firstIndex { $0.madeAt >= moment }
                state.shards[index].trimmed = kept ?? state.shards[index].records.count
                if let closedAt = state.shards[index].closedAt, closedAt < moment {
                    state.shards[index].isListed = false
                }
            }
        }
    }

    func answer(_ asked: ScriptedStandIn.Asked) -> Answer {
        let operation = asked.header("X-Amz-Target")?.split(separator: ".").last.map(String.init) ?? ""
        guard let input = (try? JSONValue.parse(asked.body))?.objectValue else { return Answer(400, "no JSON") }
        return with { state in
            state.calls[operation, default: 0] += 1
            switch operation {
            case "DescribeTable": return Self.table(state)
            case "DescribeStream": return Self.shards(state, input)
            case "GetShardIterator": return Self.iterator(&state, input)
            default: return Self.records(&state, input)
            }
        }
    }

    private static func arn(_ state: State) -> String { "arn:aws:dynamodb:eu-west-1:1:table/t/stream/\(state.label)" }

    private static func table(_ state: State) -> Answer {
        guard state.isTableThere else { return TablesWorld.refusal("ResourceNotFoundException") }
        var table: JSONObject = [
            "TableStatus": "ACTIVE", "KeySchema": [["AttributeName": "id", "KeyType": "HASH"]],
            "LatestStreamArn": .string(arn(state)),
        ]
        if let view = state.view {
            table["StreamSpecification"] = ["StreamEnabled": true, "StreamViewType": .string(view)]
        }
        return Answer(200, "\(["Table": .object(table)] as JSONValue)")
    }

    private static func shards(_ state: State, _ input: JSONObject) -> Answer {
        let listed = state.shards.filter(\.isListed)
        let first = input["ExclusiveStartShardId"]?.stringValue.flatMap { last in
            listed.firstIndex { $0.id == last }.map { $0 + 1 }
        }
        let page = listed.dropFirst(first ?? 0).prefix(state.shardsPerPage)
        let shards = page.map { shard -> JSONValue in
            var range: JSONObject = ["StartingSequenceNumber": "1"]
            if shard.isClosed { range["EndingSequenceNumber"] = "9" }
            var object: JSONObject = ["ShardId": .string(shard.id), "SequenceNumberRange": .object(range)]
            object["ParentShardId"] = shard.parent.map { .string($0) }
            return .object(object)
        }
        var description: JSONObject = ["Shards": .array(shards)]
        if page.endIndex < listed.endIndex { description["LastEvaluatedShardId"] = page.last.map { .string($0.id) } }
        return Answer(200, "\(["StreamDescription": .object(description)] as JSONValue)")
    }

    private static func iterator(_ state: inout State, _ input: JSONObject) -> Answer {
        let id = input["ShardId"]?.stringValue ?? ""
        let type = input["ShardIteratorType"]?.stringValue ?? ""
        let number = input["SequenceNumber"]?.stringValue.flatMap { Int($0) }
        state.starts.append("\(id) \(type)\(number.map { " \($0)" } ?? "")")
        guard let shard = state.shards.first(where: { $0.id == id && $0.isListed }) else {
            return TablesWorld.refusal("ResourceNotFoundException")
        }
        let offset: Int
        switch (type, number) {
        case ("TRIM_HORIZON", _): offset = shard.trimmed
        case ("LATEST", _): offset = shard.records.count
        default:
            guard let index = shard.records.firstIndex(where: { $0.number == number }), index >= shard.trimmed else {
                return TablesWorld.refusal("TrimmedDataAccessException")
            }
            offset = index + 1
        }
        return Answer(200, #"{"ShardIterator":"\#(id)|\#(offset)|\#(state.generation)"}"#)
    }

    private static func records(_ state: inout State, _ input: JSONObject) -> Answer {
        let words = input["ShardIterator"]?.stringValue?.split(separator: "|") ?? []
        guard words.count == 3, let offset = Int(words[1]), let limit = input["Limit"]?.intValue,
            let shard = state.shards.first(where: { $0.id == words[0] && $0.isListed })
        else { return TablesWorld.refusal("ResourceNotFoundException") }
        guard Int(words[2]) == state.generation else { return TablesWorld.refusal("ExpiredIteratorException") }
        guard offset >= shard.trimmed else { return TablesWorld.refusal("TrimmedDataAccessException") }
        let calls = state.calls["GetRecords"] ?? 0
        let isEmpty = state.emptyEvery > 0 && calls % state.emptyEvery == 0
        let page = shard.records.dropFirst(offset).prefix(isEmpty ? 0 : limit)
        let end = offset + page.count
        var answer: JSONObject = ["Records": .array(page.map(record))]
        let isOver = shard.isClosed && end == shard.records.count && !isEmpty
        answer["NextShardIterator"] = isOver ? .null : .string("\(shard.id)|\(end)|\(state.generation)")
        return Answer(200, "\(JSONValue.object(answer))")
    }

    private static func record(_ record: Record) -> JSONValue {
        let key: JSONValue = ["id": ["S": .string(record.key)]]
        let image = { (value: Int) -> JSONValue in ["id": ["S": .string(record.key)], "n": ["N": .string("\(value)")]] }
        var change: JSONObject = [
            "ApproximateCreationDateTime": .number(JSONNumber(record.madeAt.seconds)), "Keys": key,
            "NewImage": image(record.value), "SequenceNumber": .string("\(record.number)"),
        ]
        if record.value > 1 { change["OldImage"] = image(record.value - 1) }
        return ["eventName": "MODIFY", "dynamodb": .object(change), "userIdentity": nil]
    }
}

/// Time that moves on whenever somebody sleeps.
final class LeapingClock: Timekeeping {
    private let time = Mutex(ManualClock().now)
    private let slept = Mutex<(@Sendable () -> Void)?>(nil)

    var now: Timestamp { time.withLock { $0 } }
    var minimumResolution: Duration { .milliseconds(1) }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
    }

    /// What happens each time somebody sleeps.
    func onSleep(_ body: (@Sendable () -> Void)?) {
        slept.withLock { $0 = body }
    }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
        slept.withLock { $0 }?()
    }
}
