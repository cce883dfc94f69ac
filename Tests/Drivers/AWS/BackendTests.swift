// A deployment on AWS as a whole: made, opened, looked over.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("A deployment on AWS", .timeLimit(.minutes(10)))
struct BackendTests {
    private static let schemas = [
        TableSchema(name: "followed", isFollowed: true),
        TableSchema(
            name: "expiring",
            sortKey: nil,
            indexes: [TableIndex(name: "by-owner", partitionKey: "owner")],
            ttl: "expires"
        ),
    ]
    private static let visibility: Duration = .seconds(90)

    private func withBackend(
        _ changes: [String: String] = [:],
        _ body: (AWSBackend, Emulator.Account) async throws -> Void
    ) async throws {
        try await Emulator.withAccount { account in
            var variables = [
                "AWS_ENDPOINT_URL": account.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": account.key,
                "AWS_SECRET_ACCESS_KEY": "emulated",
            ]
            variables.merge(changes) { $1 }
            var place = AWSPlace()
            place.prefix = "mine-"
            place.bucket = "bucket-\(account.key)"
            let backend = try AWSBackend(place, environment: AWSEnvironment(variables: variables) { _ in nil })
            do {
                try await body(backend, account)
            } catch {
                await backend.close()
                throw error
            }
            await backend.close()
        }
    }

    private func make(_ backend: AWSBackend) async throws -> [AWSBackend.Made] {
        var made: [AWSBackend.Made] = []
        try await backend.make(Self.schemas, visibility: Self.visibility) { made.append($0) }
        return made
    }

    private func problems(_ backend: AWSBackend) async -> [String: String] {
        let findings = await backend.examine(Self.schemas, visibility: Self.visibility)
        return findings.reduce(into: [:]) { problems, finding in
            if let fix = finding.fix { problems[finding.check] = "\(finding.detail) -> \(fix)" }
        }
    }

    @Test("what is made is found sound, and may be made again")
    func making() async throws {
        try await withBackend { backend, account in
            let made = try await make(backend)
            let tables = ["mine-followed", "mine-expiring"]
            let queues = Queues.setups.map { "mine-" + $0.name }
            #expect(made.map(\.name) == tables + queues + ["bucket-\(account.key)"])
            #expect(await problems(backend) == [:])
            #expect(try await make(backend) == made)
            #expect(try await backend.queues().all.map(\.name) == Queues.setups.map(\.name))
        }
    }

    @Test("of what is not there, each thing is named, with what to do")
    func nothing() async throws {
        try await withBackend { backend, account in
            let problems = await problems(backend)
            let checks =
                ["table mine-followed", "table mine-expiring"] + Queues.setups.map { "queue mine-\($0.name)" }
                + ["bucket bucket-\(account.key)"]
            #expect(Set(problems.keys) == Set(checks))
            #expect(problems.values.allSatisfy { $0.hasSuffix("-> run `sluice tables create`") })
            let error = await #expect(throws: PortError.self) { _ = try await backend.queues() }
            #expect(error?.code == .notFound)
            #expect(error?.message.contains("no queue mine-replay in eu-west-1") == true)
        }
    }

    @Test("what is set up otherwise is told, and making it again sets it right where that loses nothing")
    func differences() async throws {
        try await withBackend { backend, account in
            _ = try await make(backend)
            let sqs = SQS(backend.sqs)
            let target = "arn:aws:sqs:eu-west-1:\(account.key):mine-replay-dead-letters"
            let elsewhere = #"{"deadLetterTargetArn":"\#(target)","maxReceiveCount":"8"}"#
            _ = try await sqs.makeQueue("mine-replay", ["VisibilityTimeout": "30", "MessageRetentionPeriod": "60"])
            _ = try await sqs.makeQueue("mine-progress", ["RedrivePolicy": elsewhere])
            try await backend.s3.setLifecycle([])
            let problems = await problems(backend)
            #expect(problems["queue mine-replay"]?.contains("hides messages for 30 seconds only") == true)
            #expect(problems["queue mine-replay"]?.contains("forgets messages after 60 seconds") == true)
            #expect(
                problems["queue mine-progress"]?.contains("its dead letters go to mine-replay-dead-letters") == true
            )
            #expect(problems["bucket \(backend.s3.bucket)"]?.contains("keeps parts of uploads") == true)
            #expect(problems.count == 3, "\(problems)")
            _ = try await make(backend)
            #expect(await self.problems(backend) == [:])
        }
    }

    @Test("a table of another make is refused, and left as it is")
    func otherTable() async throws {
        try await withBackend { backend, _ in
            try await backend.tables.make(TableSchema(name: "followed", partitionKey: "id", sortKey: nil))
            let error = await #expect(throws: PortError.self) { _ = try await make(backend) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.message.contains("table mine-followed") == true)
            let problem = try #require(await problems(backend)["table mine-followed"])
            #expect(problem.contains("its keys are id and nothing") && problem.contains("another prefix"))
        }
    }

    @Test("dead letters that wait are told")
    func deadLetters() async throws {
        try await withBackend { backend, _ in
            _ = try await make(backend)
            let queues = try await backend.queues()
            try await queues.replayDeadLetters.send([OutgoingMessage(body: Array("{}".utf8))])
            let problems = await problems(backend)
            #expect(Array(problems.keys) == ["queue mine-replay-dead-letters"])
            #expect(problems.values.first?.contains("1 visible") == true)
        }
    }

    @Test("a function that may run for longer than its queue hides messages is told")
    func slowFunction() async throws {
        let arn = "arn:aws:sqs:eu-west-1:1:mine-replay"
        let attributes = #"{"Attributes":{"QueueArn":"\#(arn)","VisibilityTimeout":"60"}}"#
        for (seconds, isTold) in [(60, false), (61, true)] {
            try await AWSWorld.run(
                .sqs,
                ScriptedStandIn([
                    Answer(200, attributes),
                    Answer(200, #"{"EventSourceMappings":[{"FunctionArn":"f","State":"Enabled"}]}"#),
                    Answer(200, #"{"Timeout":\#(seconds)}"#),
                ])
            ) { client, _ in
                let queue = SQSQueue(client, name: "replay", url: "http://127.0.0.1/1/mine-replay")
                let readers = try await AWSBackend.readers(of: queue, SQS(client), Lambda(client))
                #expect((readers.slow?.contains("f may run for 61.0 seconds") == true) == isTold, "\(readers)")
            }
        }
    }

    @Test(
        "a clock is wrong that is more than seconds off, however long the answer took",
        arguments: [
            (0, 0, 0, "agrees with AWS's", true), (0, 100_000, 50, "agrees with AWS's", true),
            (900, 950, 0, "agrees with AWS's", true), (4_900, 4_900, 0, "4 seconds ahead of AWS's", true),
            (6_001, 9_000, 0, "6 seconds ahead of AWS's", false), (0, 1_000, 5, "4 seconds behind AWS's", true),
            (0, 1_000, 7, "6 seconds behind AWS's", false), (600_000, 600_100, 0, "599 seconds ahead of AWS's", false),
        ]
    )
    func clock(asked: Int64, heard: Int64, theirs: Int64, says: String, isSound: Bool) {
        let finding = AWSBackend.clockFinding(
            theirs: Timestamp(milliseconds: theirs * 1000),
            between: Timestamp(milliseconds: asked),
            and: Timestamp(milliseconds: heard)
        )
        #expect(finding.detail == says)
        #expect((finding.fix == nil) == isSound)
    }

    @Test("who is not known learns that first, and nothing else")
    func unknown() async throws {
        try await withBackend(["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]) { backend, _ in
            let findings = await backend.examine(Self.schemas, visibility: Self.visibility)
            #expect(findings.map(\.check) == ["credentials"])
            #expect(findings.first?.fix?.contains("AWS_PROFILE") == true)
        }
    }

    @Test("settings that are missing or wrong are named before anything is asked")
    func settings() {
        func message(_ place: AWSPlace, _ variables: [String: String]) -> String {
            do {
                _ = try AWSBackend(place, environment: AWSEnvironment(variables: variables) { _ in nil })
                return ""
            } catch {
                #expect(error.code == .invalidRequest)
                return error.message
            }
        }
        var place = AWSPlace()
        #expect(message(place, ["AWS_REGION": "eu-west-1"]).contains("aws.bucket (SLUICE_AWS_BUCKET)"))
        place.bucket = "b-1"
        #expect(message(place, [:]).contains("AWS_REGION"))
        #expect(message(place, ["AWS_REGION": "EU/1"]).contains("region"))
        place.bucket = "Not a bucket"
        #expect(message(place, ["AWS_REGION": "eu-west-1"]).contains("bucket's name"))
        place.bucket = "b-1"
        let wrong = ["AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_SQS": "ftp://x"]
        #expect(message(place, wrong).contains("AWS_ENDPOINT_URL_SQS"))
    }
}
