// Makes the tables that schemas describe, and holds those that are there already to them.
package import SluiceCore

extension DynamoDBTables {
    /// How long a table may take until it can be used.
    private static let makingMax: Duration = .seconds(300)
    private static let lookEvery: Duration = .seconds(2)

    /// Makes a table unless it is there, and returns once it and its indexes can be used.
    ///
    /// Several may make the same table at once.
    ///
    /// - Throws: `invalidRequest` if there is a table of the name with other keys or indexes, naming the difference; it is
    ///   left as it is.
    package func make(_ schema: TableSchema) async throws(PortError) {
        let table = name(of: schema)
        do {
            try await service.create(schema, as: table)
        } catch {
            // It may be there because of this very call, if its answer was lost.
            guard error.code == "ResourceInUseException" || error.outcomeUnknown else { throw error.portError }
        }
        try await Self.compare(ready(table), schema, table)
        guard let attribute = schema.ttl else { return }
        try await ported { () async throws(AWSError) in try await expire(table, by: attribute) }
    }

    private func expire(_ table: String, by attribute: String) async throws(AWSError) {
        if try await service.timeToLive(of: table) == attribute { return }
        do {
            try await service.enableTimeToLive(of: table, by: attribute)
        } catch {
            // Somebody else who makes the table may have been a moment faster.
            guard try await service.timeToLive(of: table) == attribute else { throw error }
        }
    }

    private func ready(_ table: String) async throws(PortError) -> DynamoDB.Description {
        let end = clock.now.advanced(by: Self.makingMax)
        while true {
            let found: DynamoDB.Description?
            do {
                found = try await service.describe(table)
            } catch {
                // A table that was just made is not known everywhere at once.
                guard error.code == "ResourceNotFoundException" else { throw error.portError }
                found = nil
            }
            if let found, found.status == "ACTIVE", found.areIndexesActive { return found }
            guard clock.now < end else {
                throw PortError(
                    .timedOut,
                    "the table \(table) is \(found?.status ?? "not there") after \(Self.makingMax)"
                )
            }
            do {
                try await clock.sleep(until: clock.now.advanced(by: Self.lookEvery), tolerance: nil)
            } catch {
                throw PortError(.cancelled, "cancelled while the table \(table) was being made")
            }
        }
    }

    private typealias Keys = DynamoDB.Description.Keys

    static func compare(
        _ found: DynamoDB.Description,
        _ schema: TableSchema,
        _ table: String
    ) throws(PortError) {
        let refuse = { (difference: String) in
            PortError(
                .invalidRequest,
                "the table \(table) is another than it should be: \(difference); use another prefix"
            )
        }
        guard found.keys == Keys(partition: schema.partitionKey, sort: schema.sortKey) else {
            throw refuse("its keys are \(found.keys.partition) and \(found.keys.sort ?? "nothing")")
        }
        for index in schema.indexes {
            guard found.indexes[index.name] == Keys(partition: index.partitionKey, sort: index.sortKey) else {
                throw refuse("its index \(index.name) is missing or has other keys")
            }
        }
        guard !schema.isFollowed || found.streamView == "NEW_AND_OLD_IMAGES" else {
            throw refuse("it has no stream of new and old images")
        }
    }
}
