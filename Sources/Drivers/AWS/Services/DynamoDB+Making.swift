// DynamoDB's calls that make tables and look at them; rare, so that they go by way of trees.
internal import SluiceCore

extension DynamoDB {
    /// A table as DynamoDB describes it.
    struct Description: Equatable {
        struct Keys: Equatable {
            var partition: String
            var sort: String?
        }

        /// `CREATING`, `ACTIVE`, ….
        var status: String
        var keys: Keys
        /// By name; an index that is not `ACTIVE` yet is not filled.
        var indexes: [String: Keys]
        var areIndexesActive: Bool
        /// What the stream's records hold, such as `NEW_AND_OLD_IMAGES`; nil if there is none, or none any more.
        var streamView: String?
        /// The newest stream, even if it was switched off since.
        var streamARN: String?
    }

    /// Begins to make a table with its indexes, and with a stream if it is to be followed.
    ///
    /// - Throws: a `ResourceInUseException` if there is one of this name.
    func create(_ schema: TableSchema, as table: String) async throws(AWSError) {
        var attributes: [String] = []
        let keys: [String?] =
            [schema.partitionKey, schema.sortKey] + schema.indexes.flatMap { [$0.partitionKey, $0.sortKey] }
        for case let name? in keys where !attributes.contains(name) { attributes.append(name) }
        var input: JSONObject = [
            "TableName": .string(table), "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": .array(
                attributes.map { ["AttributeName": .string($0), "AttributeType": "S"] }
            ),
            "KeySchema": Self.keySchema(schema.partitionKey, schema.sortKey),
        ]
        if !schema.indexes.isEmpty {
            input["GlobalSecondaryIndexes"] = .array(
                schema.indexes.map { index in
                    [
                        "IndexName": .string(index.name),
                        "KeySchema": Self.keySchema(index.partitionKey, index.sortKey),
                        "Projection": ["ProjectionType": "ALL"],
                    ]
                }
            )
        }
        if schema.isFollowed {
            input["StreamSpecification"] = ["StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"]
        }
        var call = AWSJSONProtocol.dynamoDB.call("CreateTable", JSONValue.object(input).bytes())
        // A second try would find the first one's table, and take it for another's.
        call.isRepeatable = false
        _ = try await client.object(call)
    }

    private static func keySchema(_ partition: String, _ sort: String?) -> JSONValue {
        let keys = [(partition, "HASH")] + (sort.map { [($0, "RANGE")] } ?? [])
        return .array(keys.map { ["AttributeName": .string($0.0), "KeyType": .string($0.1)] })
    }

    /// What there is under a name.
    ///
    /// - Throws: a `ResourceNotFoundException` if there is nothing.
    func describe(_ table: String) async throws(AWSError) -> Description {
        let operation = "DescribeTable"
        let answer = try await ask(operation, ["TableName": .string(table)])
        guard let found = answer["Table"], let status = found["TableStatus"]?.stringValue,
            let keys = Self.keys(found["KeySchema"])
        else { throw client.senseless(operation, "the answer holds no status or no keys") }
        var indexes: [String: Description.Keys] = [:]
        let described = found["GlobalSecondaryIndexes"]?.arrayValue ?? []
        for index in described {
            if let name = index["IndexName"]?.stringValue { indexes[name] = Self.keys(index["KeySchema"]) }
        }
        let stream = found["StreamSpecification"]
        return Description(
            status: status,
            keys: keys,
            indexes: indexes,
            areIndexesActive: described.allSatisfy { $0["IndexStatus"]?.stringValue == "ACTIVE" },
            streamView: stream?["StreamEnabled"]?.boolValue == true ? stream?["StreamViewType"]?.stringValue : nil,
            streamARN: found["LatestStreamArn"]?.stringValue
        )
    }

    private static func keys(_ schema: JSONValue?) -> Description.Keys? {
        func name(_ type: String) -> String? {
            schema?.arrayValue?.first { $0["KeyType"]?.stringValue == type }?["AttributeName"]?.stringValue
        }
        return name("HASH").map { Description.Keys(partition: $0, sort: name("RANGE")) }
    }

    /// The attribute by which items expire, or nil if they don't.
    func timeToLive(of table: String) async throws(AWSError) -> String? {
        let answer = try await ask("DescribeTimeToLive", ["TableName": .string(table)])["TimeToLiveDescription"]
        let isOn = ["ENABLED", "ENABLING"].contains(answer?["TimeToLiveStatus"]?.stringValue)
        return isOn ? answer?["AttributeName"]?.stringValue : nil
    }

    /// Lets items expire by an attribute.
    func enableTimeToLive(of table: String, by attribute: String) async throws(AWSError) {
        let setting: JSONValue = ["Enabled": true, "AttributeName": .string(attribute)]
        _ = try await ask("UpdateTimeToLive", ["TableName": .string(table), "TimeToLiveSpecification": setting])
    }

    private func ask(_ operation: String, _ input: JSONObject) async throws(AWSError) -> JSONObject {
        try await client.object(AWSJSONProtocol.dynamoDB.call(operation, JSONValue.object(input).bytes()))
    }
}
