// Faults by their names, between the driver and an emulator.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("Faults by name", .timeLimit(.minutes(10)))
struct NamedFaultTests {
    /// The error that a call ends with.
    private func refused(_ call: () async throws -> Void) async -> PortError? {
        do {
            try await call()
            return nil
        } catch {
            return error as? PortError ?? (error as? AWSError)?.portError
        }
    }

    @Test("a table, a queue or a bucket that is not there is named, with what to do")
    func absent() async throws {
        let schema = TableSchema(name: "absent-table")
        let message = OutgoingMessage(body: [0x61])
        try await Emulator.withAccount { account async throws in
            let tables = DynamoDBTables(DynamoDB(try account.client(.dynamoDB)))
            let put = TableAction(schema, ItemKey("p", "s"), .put(["pk": .string("p"), "sk": .string("s")]))
            let other = TableAction(schema, ItemKey("p", "t"), .delete)
            let sqs = try account.client(.sqs)
            let queue = SQSQueue(sqs, name: "q", url: "\(account.url)/\(account.key)/absent-queue")
            let bucket = "absent-bucket-\(account.key)"
            let store = S3ObjectStore(try S3(account.client(.s3), bucket: bucket))
            let errors: [(name: String, error: PortError?)] = [
                ("absent-table", await refused { _ = try await tables.get(ItemKey("p", "s"), in: schema) }),
                ("absent-table", await refused { _ = try await tables.get([ItemKey("p", "s")], in: schema) }),
                ("absent-table", await refused { try await tables.transact([put]) }),
                ("absent-table", await refused { try await tables.transact([put, other]) }),
                ("absent-queue", await refused { _ = try await SQSQueue.open("absent-queue", sqs) }),
                ("absent-queue", await refused { try await queue.send([message]) }),
                (bucket, await refused { try await store.put([1], at: "a", onlyIfAbsent: false) }),
                (bucket, await refused { _ = try await store.read("a", range: nil) }),
                (bucket, await refused { _ = try await store.list(prefix: "", after: nil, limit: 1) }),
            ]
            for (name, error) in errors {
                #expect(error?.code == .notFound, "\(name)")
                let fix = "\"\(name)\" is not there: make it, or check its name, the region and the account"
                #expect(error?.message.contains(fix) == true, "\(error.debugDescription)")
            }
        }
    }

    @Test("throttling by DynamoDB and S3 is waited out, and told if it lasts")
    func throttled() async throws {
        try await Emulator.withFaults { account, setRules async throws in
            let table = "throttled"
            let dynamoDB = try account.client(.dynamoDB, clock: ShiftedClock())
            let schema = TableSchema(name: table)
            let tables = DynamoDBTables(DynamoDB(dynamoDB), clock: ShiftedClock())
            try await tables.make(schema)
            let s3 = try S3(account.client(.s3, clock: ShiftedClock()), bucket: "throttled-\(account.key)")
            try await s3.makeBucket()
            let store = S3ObjectStore(s3)
            let throughput = #""service":"dynamodb","error":{"code":"ProvisionedThroughputExceededException"}"#
            let slowDown = #""service":"s3","error":{"code":"SlowDown","status":503}"#
            let put = TableAction(schema, ItemKey("p", "s"), .put(["pk": .string("p"), "sk": .string("s")]))

            try await setRules(#"[{\#(throughput),"times":2},{\#(slowDown),"times":2}]"#)
            try await tables.transact([put])
            try await store.put([1], at: "a", onlyIfAbsent: false)
            #expect(try await tables.get(ItemKey("p", "s"), in: schema) != nil)
            #expect(try await store.read("a", range: nil) == [1])

            try await setRules("[{\(throughput)},{\(slowDown)}]")
            let ofTables = await refused { try await tables.transact([put]) }
            #expect(ofTables?.code == .throttled)
            #expect(ofTables?.message.contains("ProvisionedThroughputExceededException, status 400") == true)
            let ofStore = await refused { try await store.put([1], at: "b", onlyIfAbsent: false) }
            #expect(ofStore?.code == .throttled)
            #expect(ofStore?.message.contains("SlowDown, status 503") == true)
        }
    }

    @Test("a server whose certificate nobody vouches for is refused before it sees a call")
    func tls() async throws {
        let stranger = try await ServerProcess.started { try ServerProcess("Scripts/emulator.py", "--stranger") }
        #expect(stranger.url.hasPrefix("https://"))
        let account = Emulator.Account(url: stranger.url, peer: try HTTPPeer())
        try await account.peer.used {
            for service in [AWSService.dynamoDB, .sqs, .s3, .sts] {
                let client = try account.client(service)
                let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
                #expect(error?.kind == .tlsFailed)
                #expect(error?.tries == 1)
                #expect(error?.outcomeUnknown == false)
                #expect(error?.portError.code == .invalidRequest)
            }
        }
    }
}
