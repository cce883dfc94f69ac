// SQS, DynamoDB Streams and S3 keep what the ports promise, as far as the emulator is like them.
import SluiceCore
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("The AWS driver keeps the contracts", .timeLimit(.minutes(10)))
struct PortContractTests {
    @Test("queues", arguments: MessageQueueContract.cases)
    func queues(_ promise: ContractCase<MessageQueueContract.Harness>) async throws {
        try await Emulator.withAccount { account in
            let clock = try await EmulatorClock(account)
            let client = try account.client(.sqs, policy: RetryPolicy(base: .zero), clock: clock.manual)
            let queues = try await SQSQueue.make(MessageQueueContract.setups, prefix: "test-", client)
            let harness = MessageQueueContract.Harness(
                queue: queues[0],
                redriven: queues[1],
                deadLetters: queues[2],
                time: clock.contractTime,
                cancelMayHide: true
            )
            try await promise.run(harness)
            // A call that was cancelled may still wait at the emulator.
            try await clock.advance(by: .seconds(60))
        }
    }

    @Test("the change feed", arguments: ChangeFeedContract.cases)
    func feed(_ promise: ContractCase<ChangeFeedContract.Harness>) async throws {
        try await Emulator.withAccount { account in
            let clock = try await EmulatorClock(account)
            let policy = RetryPolicy(base: .zero)
            let service = DynamoDB(try account.client(.dynamoDB, policy: policy, clock: clock.manual))
            let streams = DynamoDBStreams(try account.client(.dynamoDBStreams, policy: policy, clock: clock.manual))
            let tables = DynamoDBTables(service, clock: clock.manual)
            for schema in ChangeFeedContract.schemas { try await tables.make(schema) }
            let feed = DynamoDBFeed(service, streams, interval: .milliseconds(100))
            try await promise.run(.init(feed: feed, store: tables, time: clock.contractTime, mayRefuseIdle: true))
        }
    }

    @Test("objects", arguments: ObjectStoreContract.cases)
    func objects(_ promise: ContractCase<ObjectStoreContract.Harness>) async throws {
        try await Emulator.withAccount { account in
            let clock = try await EmulatorClock(account)
            let s3 = try S3(
                account.client(.s3, policy: RetryPolicy(base: .zero), clock: clock.manual),
                bucket: "bucket-\(account.key)"
            )
            try await s3.makeBucket()
            try await promise.run(.init(store: S3ObjectStore(s3), time: clock.contractTime))
        }
    }
}
