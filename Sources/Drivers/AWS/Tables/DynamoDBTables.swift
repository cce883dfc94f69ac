// Tables in DynamoDB: reads, and what all calls share.
package import SluiceCore

/// A table store on DynamoDB.
///
/// The tables have to exist; `make` makes them. Reads of a table see all writes that returned, those of an index may lag.
/// Copies share the client.
package struct DynamoDBTables: TableStore {
    let service: DynamoDB
    let prefix: String
    let policy: RetryPolicy
    let clock: any Timekeeping
    let random: any RandomSource

    /// - Parameters:
    ///   - service: DynamoDB in one region.
    ///   - prefix: before the schemas' names, so that several deployments may share an account.
    ///   - policy: how patiently the rest of a batch is asked for.
    ///   - clock: what items have expired, and waiting.
    ///   - random: the tokens of transactions, and the jitter of waiting.
    package init(
        _ service: DynamoDB,
        prefix: String = "",
        policy: RetryPolicy = RetryPolicy(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) {
        self.service = service
        self.prefix = prefix
        self.policy = policy
        self.clock = clock
        self.random = random
    }

    func name(of schema: TableSchema) -> String { prefix + schema.name }

    package func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try Self.check(key, of: schema)
        let found = try await ported { () async throws(AWSError) in
            try await service.item(key, of: schema, in: name(of: schema))
        }
        return found.flatMap { isExpired($0, schema) ? nil : $0 }
    }

    package func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        guard keys.count <= TableLimits.keysPerGet, Set(keys).count == keys.count else {
            throw PortError(.invalidRequest, "a get asks for up to 100 distinct keys, not \(keys.count)")
        }
        for key in keys { try Self.check(key, of: schema) }
        guard !keys.isEmpty else { return [] }
        var found: [ItemKey: AttributeMap] = [:]
        var request = DynamoDB.keysRequest(keys, of: schema, in: name(of: schema))
        var course = BatchCourse(left: keys.count)
        while !request.isEmpty {
            let batch = try await ported { () async throws(AWSError) in try await service.items(request) }
            for item in batch.items {
                if let key = schema.key(of: item), !isExpired(item, schema) { found[key] = item }
            }
            request = batch.rest
            course.note(left: batch.restCount)
            // Items of many bytes come in several answers without anybody asking for fewer calls.
            if course.stalls > 0 { try await pause(course, "BatchGetItem") }
        }
        return keys.map { found[$0] }
    }

    package func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        guard let input = try DynamoDBQuery(query, schema, table: name(of: schema)).input else {
            return TableQueryPage(items: [], next: nil)
        }
        return try await page("Query", input, of: schema)
    }

    package func scan(
        _ schema: TableSchema,
        limit: Int,
        after: TableCursor?
    ) async throws(PortError) -> TableQueryPage {
        let input = try DynamoDBQuery.scan(limit: limit, after: after, table: name(of: schema))
        return try await page("Scan", input, of: schema)
    }

    private func page(
        _ operation: String,
        _ input: [UInt8],
        of schema: TableSchema
    ) async throws(PortError) -> TableQueryPage {
        let page = try await ported { () async throws(AWSError) in try await service.page(operation, input) }
        let next = page.last.isEmpty ? nil : TableCursor(token: String(decoding: page.last, as: UTF8.self))
        return TableQueryPage(items: page.items.filter { !isExpired($0, schema) }, next: next)
    }

    private func isExpired(_ item: AttributeMap, _ schema: TableSchema) -> Bool {
        schema.ttl != nil && schema.isExpired(item, now: clock.now)
    }

    /// DynamoDB has no empty keys.
    static func check(_ key: ItemKey, of schema: TableSchema) throws(PortError) {
        guard (key.sort == nil) == (schema.sortKey == nil), !key.partition.isEmpty, key.sort != "" else {
            throw PortError(.invalidRequest, "\"\(key)\" is no key of the table \(schema.name)")
        }
    }

    /// A call with its error as the port throws it.
    func ported<Value>(
        _ call: () async throws(AWSError) -> Value
    ) async throws(PortError) -> Value {
        do {
            return try await call()
        } catch {
            throw error.portError
        }
    }

    /// Waits before the rest of a batch is asked for.
    ///
    /// - Throws: `throttled` if too many calls in a row have done nothing.
    func pause(_ course: BatchCourse, _ operation: String) async throws(PortError) {
        guard course.stalls < BatchCourse.stallsMax else {
            let message =
                "DynamoDB \(operation): \(course.left) of the batch are left undone again and again; it asks for fewer calls"
            throw PortError(.throttled, message)
        }
        let wait = policy.wait(after: course.stalls + 1, asked: nil, random: random)
        do {
            try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
        } catch {
            throw PortError(.cancelled, "DynamoDB \(operation): cancelled with \(course.left) of a batch left")
        }
    }
}

/// How a batch comes along whose rest is asked for again and again.
struct BatchCourse {
    /// Some minutes, by the waits of the policy: longer is the caller's to wait.
    static let stallsMax = 8

    private(set) var left: Int
    /// How many calls in a row have done nothing.
    private(set) var stalls = 0

    init(left: Int) {
        self.left = left
    }

    mutating func note(left: Int) {
        stalls = left < self.left ? 0 : stalls + 1
        self.left = left
    }
}
