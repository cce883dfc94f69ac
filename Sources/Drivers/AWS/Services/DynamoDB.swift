// DynamoDB's calls: single items, pages, batches whose rest is told, transactions.
internal import SluiceCore

/// DynamoDB by its JSON protocol.
///
/// It speaks of tables by DynamoDB's own names. Copies share the client.
package struct DynamoDB: Sendable {
    /// The most puts and deletes of a batch.
    static let writesPerBatch = 25
    /// The most bytes of a batch of writes, of the 16 MiB that DynamoDB takes.
    static let batchBytesMax = 12 << 20
    /// A hundred items may be 16 MB, and their text six times as much.
    private static let batchAnswerMax = 100 << 20

    let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    /// One call, whose fields are bytes that are one JSON object.
    func send(_ operation: String, _ input: [UInt8], bodyMax: Int = 16 << 20) async throws(AWSError) -> [UInt8] {
        try await client.send(AWSJSONProtocol.dynamoDB.call(operation, input), bodyMax: bodyMax).body
    }

    /// Reads an answer member by member.
    func read(
        _ operation: String,
        _ answer: [UInt8],
        _ member: (inout AWSJSONReader, _ name: String, Int) -> Place
    ) throws(AWSError) {
        do {
            try AWSJSONReader.walk(answer, member)
        } catch {
            throw client.senseless(operation, error.description)
        }
    }

    /// The item as of the last write that returned, or nil.
    func item(_ key: ItemKey, of schema: TableSchema, in table: String) async throws(AWSError) -> AttributeMap? {
        var request = AWSJSONWriter()
        request.json("{")
        request.member("TableName", table)
        request.name("Key")
        request.key(key, of: schema)
        request.json(#","ConsistentRead":true}"#)
        let answer = try await send("GetItem", request.bytes)
        var item: AttributeMap?
        try read("GetItem", answer) { reader, name, place in
            name == "Item" ? reader.item(at: place, intoNil: &item) : reader.skip(place)
        }
        return item
    }

    /// What a call of a batch has done, and what it has left.
    struct Batch {
        var items: [AttributeMap] = []
        /// To be asked for again as it is; empty if nothing is left.
        var rest: [UInt8] = []
        /// How many keys or writes the rest holds.
        var restCount = 0
    }

    /// Part or all of up to 100 items of one table, in any order.
    ///
    /// The request is made by `keysRequest`, or the rest of an earlier call.
    func items(_ request: [UInt8]) async throws(AWSError) -> Batch {
        let operation = "BatchGetItem"
        let answer = try await send(operation, Self.requestItems(request), bodyMax: Self.batchAnswerMax)
        var batch = Batch()
        try read(operation, answer) { reader, name, place in
            switch name {
            case "Responses":
                return reader.members(of: place) { reader, _, place in
                    var items: [AttributeMap] = []
                    let end = reader.items(at: place, into: &items)
                    batch.items += items
                    return end
                }
            case "UnprocessedKeys":
                return Self.rest(&reader, place, &batch) { reader, place in
                    var count = 0
                    let end = reader.members(of: place) { reader, name, place in
                        guard name == "Keys" else { return reader.skip(place) }
                        return reader.count(at: place, into: &count)
                    }
                    return (count, end)
                }
            default:
                return reader.skip(place)
            }
        }
        return batch
    }

    static func keysRequest(_ keys: [ItemKey], of schema: TableSchema, in table: String) -> [UInt8] {
        var request = AWSJSONWriter()
        request.json("{")
        request.name(table)
        request.json(#"{"Keys":["#)
        for key in keys {
            request.comma()
            request.key(key, of: schema)
        }
        request.json(#"],"ConsistentRead":true}}"#)
        return request.bytes
    }

    /// Does part or all of up to 25 puts and deletes on distinct items.
    ///
    /// The request is what is to be done by table, or the rest of an earlier call.
    func write(_ request: [UInt8]) async throws(AWSError) -> Batch {
        let operation = "BatchWriteItem"
        let answer = try await send(operation, Self.requestItems(request))
        var batch = Batch()
        try read(operation, answer) { reader, name, place in
            guard name == "UnprocessedItems" else { return reader.skip(place) }
            return Self.rest(&reader, place, &batch) { reader, place in
                var count = 0
                let end = reader.count(at: place, into: &count)
                return (count, end)
            }
        }
        return batch
    }

    private static func requestItems(_ request: [UInt8]) -> [UInt8] {
        var input = AWSJSONWriter()
        input.json(#"{"RequestItems":"#)
        input.json(request)
        input.json("}")
        return input.bytes
    }

    /// Keeps what is left as it stands, so that it goes back unchanged, and counts it.
    private static func rest(
        _ reader: inout AWSJSONReader,
        _ place: Int,
        _ batch: inout Batch,
        _ count: (inout AWSJSONReader, Int) -> (Int, Place)
    ) -> Place {
        var total = 0
        let end = reader.members(of: place) { reader, _, place in
            let (found, end) = count(&reader, place)
            total += found
            return end
        }
        guard end >= 0, total > 0 else { return end }
        batch.restCount = total
        return reader.raw(at: place, into: &batch.rest)
    }

    /// A page of a query or a scan, and the key after which the next one begins.
    struct Page {
        var items: [AttributeMap] = []
        /// JSON; empty if nothing follows.
        var last: [UInt8] = []
    }

    /// The page that a `Query` or a `Scan` brings.
    func page(_ operation: String, _ input: [UInt8]) async throws(AWSError) -> Page {
        let answer = try await send(operation, input)
        var page = Page()
        try read(operation, answer) { reader, name, place in
            switch name {
            case "Items": reader.items(at: place, into: &page.items)
            case "LastEvaluatedKey": reader.raw(at: place, into: &page.last)
            default: reader.skip(place)
            }
        }
        return page
    }

    /// One put, update or delete.
    func write(_ write: DynamoDBWrite, _ operation: String) async throws(AWSError) {
        var call = AWSJSONProtocol.dynamoDB.call(operation, [UInt8(ascii: "{")] + write.fields + [UInt8(ascii: "}")])
        call.isRepeatable = write.isRepeatable
        if write.isGuarded { call.errorBodyMax = DynamoDBWrite.oldItemBytesMax }
        _ = try await client.send(call)
    }

    /// All writes or none.
    ///
    /// The token is new for each transaction. A call that is repeated because no answer came has the same one, so that
    /// DynamoDB answers what became of it and does not do it twice.
    func transact(_ writes: [DynamoDBWrite], token: String) async throws(AWSError) {
        var request = AWSJSONWriter()
        request.json(#"{"TransactItems":["#)
        for write in writes {
            request.comma()
            request.json("{\"\(write.operation.rawValue)\":{")
            request.json(write.fields)
            request.json("}}")
        }
        request.json("]")
        request.member("ClientRequestToken", token)
        request.json("}")
        var call = AWSJSONProtocol.dynamoDB.call("TransactWriteItems", request.bytes)
        call.errorBodyMax += writes.count(where: \.isGuarded) * DynamoDBWrite.oldItemBytesMax
        _ = try await client.send(call)
    }
}

extension AWSJSONReader {
    /// How many elements an array has.
    mutating func count(at place: Int, into count: inout Int) -> Place {
        elements(of: place) { reader, place in
            count += 1
            return reader.skip(place)
        }
    }
}
