// The calls of DynamoDB Streams: a stream's shards, where to read one, and its records.
internal import SluiceCore

/// DynamoDB Streams by its JSON protocol.
///
/// It is a service of its own, with an endpoint of its own. Copies share the client.
package struct DynamoDBStreams: Sendable {
    /// The most records of one call; a call brings 1 MB at most, too.
    static let recordsMax = 1000

    let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    /// One of the parts of a stream, which hold the changes of disjoint items at any one time.
    struct Shard: Sendable, Hashable {
        let id: String
        /// The shard whose items it goes on with; that one may be gone already.
        var parent: String?
        /// Whether nothing is added to it any more.
        var isClosed = false
    }

    /// Where to begin in a shard.
    enum Start: Sendable, Hashable {
        /// The oldest record that is kept.
        case horizon
        /// Behind the newest record.
        case latest
        case after(String)

        var name: String {
            switch self {
            case .horizon: "TRIM_HORIZON"
            case .latest: "LATEST"
            case .after: "AFTER_SEQUENCE_NUMBER"
            }
        }
    }

    /// One change of one item.
    struct Record: Sendable {
        var number = ""
        /// To the second or better.
        var madeAt = Timestamp(milliseconds: 0)
        var key: AttributeMap = [:]
        var old: AttributeMap?
        var new: AttributeMap?
    }

    struct Records: Sendable {
        var records: [Record] = []
        /// Where to go on, for 15 minutes; nil if the shard was read to its end.
        var next: String?
    }

    /// All shards that are listed, over all pages of the list.
    func shards(of stream: String) async throws(AWSError) -> [Shard] {
        let operation = "DescribeStream"
        var shards: [Shard] = []
        var last: String?
        repeat {
            var input: JSONObject = ["StreamArn": .string(stream), "Limit": 100]
            input["ExclusiveStartShardId"] = last.map { .string($0) }
            let found = try await ask(operation, input)["StreamDescription"]
            for shard in found?["Shards"]?.arrayValue ?? [] {
                guard let id = shard["ShardId"]?.stringValue else {
                    throw client.senseless(operation, "a shard has no id")
                }
                let isClosed = shard["SequenceNumberRange"]?["EndingSequenceNumber"]?.stringValue != nil
                shards.append(Shard(id: id, parent: shard["ParentShardId"]?.stringValue, isClosed: isClosed))
            }
            let next = found?["LastEvaluatedShardId"]?.stringValue
            guard next == nil || next != last else { throw client.senseless(operation, "its pages go nowhere") }
            last = next
        } while last != nil
        return shards
    }

    /// Where to begin to read; good for 15 minutes.
    ///
    /// - Throws: `TrimmedDataAccessException` behind what is kept no more, `ResourceNotFoundException` for a shard that is gone.
    func iterator(_ start: Start, of shard: String, in stream: String) async throws(AWSError) -> String {
        let operation = "GetShardIterator"
        var input: JSONObject = [
            "StreamArn": .string(stream), "ShardId": .string(shard), "ShardIteratorType": .string(start.name),
        ]
        if case .after(let number) = start { input["SequenceNumber"] = .string(number) }
        guard let iterator = try await ask(operation, input)["ShardIterator"]?.stringValue else {
            throw client.senseless(operation, "the answer holds no iterator")
        }
        return iterator
    }

    /// Up to 1000 records; none of them does not mean that there are none behind.
    ///
    /// - Throws: `ExpiredIteratorException`, `TrimmedDataAccessException`, `ResourceNotFoundException`.
    func records(_ iterator: String, limit: Int) async throws(AWSError) -> Records {
        let operation = "GetRecords"
        let input: JSONObject = ["ShardIterator": .string(iterator), "Limit": .number(JSONNumber(limit))]
        let call = AWSJSONProtocol.dynamoDBStreams.call(operation, JSONValue.object(input).bytes())
        let answer = try await client.send(call).body
        var found = Records()
        do {
            try AWSJSONReader.walk(answer, { found.read(&$0, $1, at: $2) })
        } catch {
            throw client.senseless(operation, error.description)
        }
        guard found.records.allSatisfy({ !$0.number.isEmpty }) else {
            throw client.senseless(operation, "a record has no sequence number")
        }
        return found
    }

    private func ask(_ operation: String, _ input: JSONObject) async throws(AWSError) -> JSONObject {
        try await client.object(AWSJSONProtocol.dynamoDBStreams.call(operation, JSONValue.object(input).bytes()))
    }
}

extension DynamoDBStreams.Records {
    /// Reads one member of an answer.
    fileprivate mutating func read(_ reader: inout AWSJSONReader, _ name: String, at place: Int) -> Place {
        switch name {
        case "NextShardIterator":
            guard reader.grammar.bytes[place] != UInt8(ascii: "n") else { return reader.skip(place) }
            var iterator = ""
            let end = reader.string(at: place, into: &iterator)
            next = iterator
            return end
        case "Records":
            return reader.elements(of: place) { reader, place in
                var record = DynamoDBStreams.Record()
                let end = reader.members(of: place) { reader, name, place in
                    guard name == "dynamodb" else { return reader.skip(place) }
                    return reader.members(of: place) { record.read(&$0, $1, at: $2) }
                }
                records.append(record)
                return end
            }
        default: return reader.skip(place)
        }
    }
}

extension DynamoDBStreams.Record {
    /// Reads one member of what a record says under `dynamodb`.
    mutating func read(_ reader: inout AWSJSONReader, _ name: String, at place: Int) -> Place {
        switch name {
        case "SequenceNumber": return reader.string(at: place, into: &number)
        case "Keys": return reader.item(at: place, into: &key)
        case "OldImage": return reader.item(at: place, intoNil: &old)
        case "NewImage": return reader.item(at: place, intoNil: &new)
        case "ApproximateCreationDateTime":
            var seconds: [UInt8] = []
            let end = reader.raw(at: place, into: &seconds)
            if let value = Double(String(decoding: seconds, as: UTF8.self)), value.magnitude < 1e12 {
                madeAt = Timestamp(milliseconds: Int64(value * 1000))
            }
            return end
        default: return reader.skip(place)
        }
    }
}
