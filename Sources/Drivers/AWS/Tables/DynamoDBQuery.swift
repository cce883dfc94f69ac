// A page's question in DynamoDB's words.
internal import SluiceCore

/// The request of a query.
struct DynamoDBQuery {
    /// Nil if no item can be in the range, which DynamoDB would refuse to be asked.
    private(set) var input: [UInt8]?

    init(_ query: TableQuery, _ schema: TableSchema, table: String) throws(PortError) {
        try Self.check(query.limit)
        var keys = (partition: schema.partitionKey, sort: schema.sortKey)
        var request = AWSJSONWriter()
        request.json("{")
        request.member("TableName", table)
        if let name = query.index {
            guard let index = schema.indexes.first(where: { $0.name == name }) else {
                throw PortError(.notFound, "table \(schema.name) has no index \(name)")
            }
            keys = (index.partitionKey, index.sortKey)
            request.member("IndexName", name)
        } else {
            request.json(#","ConsistentRead":true"#)
        }
        var expression = DynamoDBExpression(schema)
        let partition = "\(expression.name(keys.partition)) = \(try expression.value(.string(query.partition)))"
        guard let range = try Self.text(query.range, on: keys.sort, &expression) else { return }
        request.member("KeyConditionExpression", range.isEmpty ? partition : "\(partition) AND \(range)")
        expression.write(into: &request)
        request.json(",\"Limit\":\(query.limit)")
        if query.descending { request.json(#","ScanIndexForward":false"#) }
        try Self.begin(after: query.after, &request)
        request.json("}")
        input = request.bytes
    }

    static func scan(limit: Int, after: TableCursor?, table: String) throws(PortError) -> [UInt8] {
        try check(limit)
        var request = AWSJSONWriter()
        request.json("{")
        request.member("TableName", table)
        request.json(",\"ConsistentRead\":true,\"Limit\":\(limit)")
        try begin(after: after, &request)
        request.json("}")
        return request.bytes
    }

    private static func check(_ limit: Int) throws(PortError) {
        guard (1...1000).contains(limit) else {
            throw PortError(.invalidRequest, "a page holds 1 to 1000 items, not \(limit)")
        }
    }

    /// The condition of a range; empty for everything, nil for nothing.
    private static func text(
        _ range: TableQuery.SortRange,
        on sortKey: String?,
        _ expression: inout DynamoDBExpression
    ) throws(PortError) -> String? {
        let low: String
        let high: String
        switch range {
        case .everything, .prefix(""): return ""
        case .prefix(let prefix):
            let name = expression.name(try named(sortKey))
            return "begins_with(\(name), \(try expression.value(.string(prefix))))"
        case .between(let from, let to):
            low = from
            high = to
        }
        // No key is empty, and none may be asked for.
        guard !high.isEmpty, !high.utf8.lexicographicallyPrecedes(low.utf8) else { return nil }
        let name = expression.name(try named(sortKey))
        let upper = try expression.value(.string(high))
        return low.isEmpty
            ? "\(name) <= \(upper)" : "\(name) BETWEEN \(try expression.value(.string(low))) AND \(upper)"
    }

    private static func named(_ sortKey: String?) throws(PortError) -> String {
        guard let sortKey else { throw PortError(.invalidRequest, "a range is asked for where there is no sort key") }
        return sortKey
    }

    /// A cursor is a key in DynamoDB's JSON; it is read before it becomes part of a request.
    private static func begin(after cursor: TableCursor?, _ request: inout AWSJSONWriter) throws(PortError) {
        guard let cursor else { return }
        var key: AttributeMap = [:]
        do {
            try AWSJSONReader.walk(Array("{\"k\":\(cursor.token)}".utf8)) { reader, _, place in
                reader.item(at: place, into: &key)
            }
        } catch {
            throw PortError(.invalidRequest, "a cursor is none of this table's: \(error.description)")
        }
        request.name("ExclusiveStartKey")
        try request.item(key)
    }
}
