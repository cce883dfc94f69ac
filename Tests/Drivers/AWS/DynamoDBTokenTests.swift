// What a transaction's token is good for, as the emulator sees it.
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("A transaction's token", .timeLimit(.minutes(10)))
struct DynamoDBTokenTests {
    @Test("the same transaction under the same token happens once, under another token again")
    func token() async throws {
        try await Emulator.withAccount { account in
            let service = DynamoDB(try account.client(.dynamoDB))
            let tables = DynamoDBTables(service)
            let schema = TableSchema(name: "counted")
            try await tables.make(schema)
            let addition = TableAction(schema, ItemKey("p", "s"), .update([.add("n", 1)]))
            let write = try DynamoDBWrite(addition, table: "counted", isAlone: false)
            for token in ["one", "one", "two"] { try await service.transact([write], token: token) }
            #expect(try await tables.get(ItemKey("p", "s"), in: schema)?["n"] == .int(2))
        }
    }

    @Test("a condition that no item can meet fails by its position, beside others that hold")
    func impossible() async throws {
        try await Emulator.withAccount { account in
            let tables = DynamoDBTables(DynamoDB(try account.client(.dynamoDB)))
            let schema = TableSchema(name: "counted")
            try await tables.make(schema)
            let never = Condition.all([.itemAbsent, .compare("a", .less, .bool(true))])
            let always = Condition.any([.attributeExists("a"), .all([])])
            let error = await TablesWorld.refused { () async throws(PortError) in
                try await tables.transact([
                    TableAction(schema, ItemKey("p", "a"), .update([]), if: always),
                    TableAction(schema, ItemKey("p", "b"), .delete, if: never),
                ])
            }
            #expect(error?.code == .conditionFailed)
            #expect(error?.failedActions == [1])
            try await tables.transact([
                TableAction(schema, ItemKey("p", "a"), .update([]), if: always),
                TableAction(schema, ItemKey("p", "b"), .update([.remove("x")])),
            ])
            let keys = [ItemKey("p", "a"), ItemKey("p", "b")]
            #expect(try await tables.get(keys, in: schema).map { $0?["sk"] } == [.string("a"), .string("b")])
        }
    }
}
