// Tables over a peer that a test scripts.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

enum TablesWorld {
    static let schema = TableSchema(
        name: "t",
        indexes: [TableIndex(name: "by-colour", partitionKey: "colour", sortKey: "size")],
        ttl: "expires"
    )
    static let singles = TableSchema(name: "one", partitionKey: "id", sortKey: nil)

    static func run(
        _ standIn: ScriptedStandIn,
        prefix: String = "",
        clock: any Timekeeping = EagerClock(),
        _ body: (DynamoDBTables, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await AWSWorld.run(.dynamoDB, standIn) { client, standIn in
            let random = SeededRandomSource(seed: 2)
            try await body(DynamoDBTables(DynamoDB(client), prefix: prefix, clock: clock, random: random), standIn)
        }
    }

    static func run(
        _ answers: [Answer],
        prefix: String = "",
        clock: any Timekeeping = EagerClock(),
        _ body: (DynamoDBTables, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await run(ScriptedStandIn(answers), prefix: prefix, clock: clock, body)
    }

    static func put(_ sort: String, _ more: AttributeMap = [:], if condition: Condition? = nil) -> TableAction {
        let item = more.merging(["pk": .string("p"), "sk": .string(sort)]) { $1 }
        return TableAction(schema, ItemKey("p", sort), .put(item), if: condition)
    }

    static func update(_ sort: String, _ changes: [AttributeChange], if condition: Condition? = nil) -> TableAction {
        TableAction(schema, ItemKey("p", sort), .update(changes), if: condition)
    }

    static func delete(_ sort: String, if condition: Condition? = nil) -> TableAction {
        TableAction(schema, ItemKey("p", sort), .delete, if: condition)
    }

    /// An error as DynamoDB words it.
    static func refusal(_ code: String, _ more: String = "") -> Answer {
        Answer(400, #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","Message":"m"\#(more)}"#)
    }

    /// A cancelled transaction.
    static func cancelled(_ codes: [String], item: String? = nil) -> Answer {
        let reasons = codes.map { code in
            let isFailed = code == "ConditionalCheckFailed"
            return #"{"Code":"\#(code)","Message":"why"\#(isFailed ? item.map { #","Item":\#($0)"# } ?? "" : "")}"#
        }
        return refusal("TransactionCanceledException", #","CancellationReasons":[\#(reasons.joined(separator: ","))]"#)
    }

    /// The error that a call ends with.
    static func refused(_ call: () async throws(PortError) -> Void) async -> PortError? {
        do {
            try await call()
            return nil
        } catch {
            return error
        }
    }
}
