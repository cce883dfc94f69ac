// Whether tables are as their schemas say, and whether we may use them; nothing is changed.
package import SluiceCore

extension DynamoDBTables {
    /// Compares a table with its schema.
    ///
    /// - Throws: `notFound` if it is not there, `invalidRequest` naming what is different.
    package func check(_ schema: TableSchema) async throws(PortError) {
        let table = name(of: schema)
        let found = try await ported { () async throws(AWSError) in try await service.describe(table) }
        try Self.compare(found, schema, table)
        guard let attribute = schema.ttl else { return }
        let expiry = try await ported { () async throws(AWSError) in try await service.timeToLive(of: table) }
        guard expiry == attribute else {
            let problem = "the items of the table \(table) don't expire by \(attribute)"
            throw PortError(.notFound, "\(problem), so it grows for ever")
        }
    }

    /// Tries whether the table and its indexes may be read, and the table written to.
    ///
    /// - Throws: `unauthorized` if not.
    package func probe(_ schema: TableSchema) async throws(PortError) {
        let key = ItemKey("sluice-doctor", schema.sortKey == nil ? nil : "probe")
        _ = try await get(key, in: schema)
        for index in schema.indexes {
            _ = try await query(TableQuery(partition: "sluice-doctor", index: index.name, limit: 1), in: schema)
        }
        // Who may not write learns that before anybody looks at the condition, which never holds.
        let never = Condition.attributeExists("sluice_doctor")
        do {
            try await transact([TableAction(schema, key, .update([.set("sluice_doctor", .bool(true))]), if: never)])
        } catch {
            guard error.code == .conditionFailed else { throw error }
        }
    }
}
