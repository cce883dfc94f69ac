// DynamoDB keeps what the port of tables promises, as far as an emulator can tell.
import SluiceCore
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Tables in DynamoDB keep the contract", .timeLimit(.minutes(10)))
struct DynamoDBContractTests {
    @Test("tables", arguments: TableStoreContract.cases)
    func tables(_ promise: ContractCase<TableStoreContract.Harness>) async throws {
        // Only expiry goes by this clock: the emulator's own is the machine's, and removes nothing early.
        let clock = ManualClock(now: WallClock().now)
        try await Emulator.withAccount { account in
            let service = DynamoDB(try account.client(.dynamoDB))
            for schema in TableStoreContract.schemas { try await DynamoDBTables(service).make(schema) }
            let tables = DynamoDBTables(service, clock: clock)
            try await promise.run(.init(store: tables, time: .manual(clock)))
        }
    }
}
