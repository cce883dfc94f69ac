// How tables come to be, and what is said of those that are there already.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Making tables in DynamoDB", .timeLimit(.minutes(10)))
struct DynamoDBMakingTests {
    private static let followed = TableSchema(
        name: "followed",
        indexes: [TableIndex(name: "by-colour", partitionKey: "colour", sortKey: "sk")],
        ttl: "expires",
        isFollowed: true
    )

    @Test("a table is made with its indexes, stream and time to live; making it again leaves it as it is")
    func make() async throws {
        try await Emulator.withAccount { account in
            let service = DynamoDB(try account.client(.dynamoDB))
            let tables = DynamoDBTables(service, prefix: "mine-")
            for _ in 0..<2 { try await tables.make(Self.followed) }
            let found = try await service.describe("mine-followed")
            #expect(found.keys == .init(partition: "pk", sort: "sk"))
            #expect(found.indexes == ["by-colour": .init(partition: "colour", sort: "sk")])
            #expect(found.streamView == "NEW_AND_OLD_IMAGES")
            #expect(try await service.timeToLive(of: "mine-followed") == "expires")
        }
    }

    @Test("of many that make a table at once, all find it made")
    func together() async throws {
        try await Emulator.withAccount { account in
            let tables = DynamoDBTables(DynamoDB(try account.client(.dynamoDB)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await tables.make(TablesWorld.singles) } }
                try await group.waitForAll()
            }
        }
    }

    @Test(
        "a table that is another than it should be is named, and left alone",
        arguments: [
            TableSchema(name: "followed", sortKey: nil), TableSchema(name: "followed", partitionKey: "id"),
            TableSchema(name: "followed", indexes: [TableIndex(name: "by-colour", partitionKey: "colour")]),
            TableSchema(name: "followed", indexes: [TableIndex(name: "by-owner", partitionKey: "owner")]),
        ]
    )
    func another(schema: TableSchema) async throws {
        try await Emulator.withAccount { account in
            let tables = DynamoDBTables(DynamoDB(try account.client(.dynamoDB)))
            try await tables.make(Self.followed)
            let error = await TablesWorld.refused { () async throws(PortError) in try await tables.make(schema) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.message.contains("followed") == true)
        }
    }

    @Test("a table that is being made is waited for, and so is one that is not known yet")
    func waiting() async throws {
        let table = { (status: String) in
            Answer(
                200,
                #"{"Table":{"TableStatus":"\#(status)","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}"#
            )
        }
        let answers = [
            Answer(500, "{}"), TablesWorld.refusal("ResourceNotFoundException"), table("CREATING"), table("ACTIVE"),
        ]
        try await TablesWorld.run(answers) { tables, standIn in
            try await tables.make(TablesWorld.singles)
            let operations = standIn.asked.compactMap { $0.header("X-Amz-Target")?.split(separator: ".").last }
            #expect(operations == ["CreateTable", "DescribeTable", "DescribeTable", "DescribeTable"])
        }
    }
}
