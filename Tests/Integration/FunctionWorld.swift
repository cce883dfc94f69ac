// A deployment on Lambda whose platform is the test: it takes changes and messages to the functions as AWS would.
import Foundation
import SluiceCore
import SluiceTestKit
import Testing

/// AWS as an emulator, both services, a cluster that runs Jobs as processes, and functions to be started.
struct FunctionWorld: Sendable {
    static let index = "products-semi-structured"
    /// How long messages are hidden from others; what failed comes back after it.
    private static let hidden = "3"

    let world: CloudWorld
    let kubernetes: SluiceProcess
    /// Of every function.
    let environment: [String: String]
    /// What has to live as long as this.
    private let kept: (any Sendable)?

    var sandbox: Sandbox { world.sandbox }

    /// Starts all of it; `more` makes settings of the functions, and what has to live as long as they do.
    static func start(
        documents: Int,
        faultRate: Double = 0,
        _ more: (Cloud) async throws -> ([String: String], (any Sendable)?) = { _ in ([:], nil) }
    ) async throws -> FunctionWorld {
        let world = try await CloudWorld.start(
            documents: documents * IndexKind.allCases.count,
            faultRate: faultRate,
            seed: 71
        )
        let (kubernetes, url) = try await Self.startCluster(world.sandbox, [])
        var environment = world.services.environment.merging(world.cloud.environment) { $1 }
        let (settings, kept) = try await more(world.cloud)
        environment.merge(settings) { $1 }
        environment.merge([
            "SLUICE_CHUNK_RECORDS_MAX": "20", "SLUICE_LOG_LEVEL": "info", "SLUICE_KUBERNETES_CLUSTER": "test",
            "SLUICE_KUBERNETES_NAMESPACE": "sluice", "SLUICE_KUBERNETES_IMAGE": "sluice:test",
            "SLUICE_KUBERNETES_URL": url,
        ]) { $1 }
        return FunctionWorld(world: world, kubernetes: kubernetes, environment: environment, kept: kept)
    }

    private static func startCluster(_ sandbox: Sandbox, _ words: [String]) async throws -> (SluiceProcess, String) {
        let process = try sandbox.start(["stand-in", "kubernetes", "--program", try Sandbox.program()] + words)
        let url = try await eventually("the cluster's URL; it says: \(process.errors)") {
            if let end = process.end { throw NotAsExpected("the cluster ended with \(end): \(process.errors)") }
            return process.output.split(separator: "\n").first.map(String.init)
        }
        return (process, url)
    }

    /// Another cluster, which knows of no Job.
    func startCluster(_ words: String...) async throws -> SluiceProcess {
        try await Self.startCluster(sandbox, words).0
    }

    /// The names of the cluster's Jobs.
    func launches() async throws -> [String] {
        let url = "\(environment["SLUICE_KUBERNETES_URL"] ?? "")/apis/batch/v1/namespaces/sluice/jobs"
        let list = try JSONValue.parse(try await Services.curl(url))
        return list["items"]?.arrayValue?.compactMap { $0["metadata"]?["name"]?.stringValue } ?? []
    }

    func function(_ name: String, seconds: Int = 30) async throws -> EmulatedFunction {
        try await EmulatedFunction.start(name, seconds: seconds, sandbox, environment)
    }

    /// Asks for a job as its users do.
    func reindex() async throws -> String {
        try await sandbox.reindex(.semiStructured, to: "target", "--concurrency", "2", "--page-size", "50")
    }

    /// The event that the job table's stream has for a job's record.
    func insertion(of job: String) async throws -> String {
        let key: JSONValue = [
            "pk": ["S": .string(Services.account)], "sk": ["S": .string("\(Self.index)#\(job)")],
        ]
        let words = ["dynamodb", "get-item", "--table-name", "sluice-reindexing", "--key", key.description]
        let image = try #require(try await aws(words)["Item"])
        let change: JSONValue = ["Keys": key, "NewImage": image, "SequenceNumber": "7"]
        let record: JSONValue = [
            "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change,
        ]
        return (["Records": [record]] as JSONValue).description
    }

    /// Takes one batch off a queue and hands it to functions, to all of them at the same moment.
    ///
    /// As SQS does for Lambda: what an answer does not name is deleted, of a failed invocation nothing is.
    ///
    /// - Returns: what they answered; nothing if the queue was empty.
    @discardableResult
    func hand(_ queue: String, to functions: [EmulatedFunction]) async throws -> [EmulatedFunction.Answer] {
        let received = try await aws([
            "sqs", "receive-message", "--queue-url", url(queue), "--max-number-of-messages", "10",
            "--visibility-timeout", Self.hidden, "--attribute-names", "All",
        ])
        guard let messages = received["Messages"]?.arrayValue, !messages.isEmpty else { return [] }
        let answers = try await invoke(functions, Self.event(messages))
        for answer in answers {
            guard let again = answer.again else { continue }
            let done = messages.filter { !again.contains($0["MessageId"]?.stringValue ?? "") }
            try await delete(done, from: queue)
        }
        return answers
    }

    /// Invokes functions with the same event at the same moment.
    func invoke(_ functions: [EmulatedFunction], _ event: String) async throws -> [EmulatedFunction.Answer] {
        try await withThrowingTaskGroup(of: EmulatedFunction.Answer.self) { group in
            for function in functions { group.addTask { try await function.invoke(event) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Runs a job that was launched to its end: delivers, books and asks in turn, as often as that takes, and until nothing
    /// lies in a queue, for a job may end before the last duplicate has come.
    func finish(_ job: String, replay: [EmulatedFunction], progress: [EmulatedFunction]) async throws {
        let confirm = try await function("confirm")
        try await eventually("the end of the job", within: .seconds(240)) { () -> Void? in
            try await hand("replay", to: replay)
            try await hand("progress", to: progress)
            _ = try await confirm.invoke("{}")
            guard try await sandbox.job(job).isFinal else { return nil }
            return try await sandbox.queueDepths().allSatisfy { $0.1 == 0 } ? () : nil
        }
    }

    /// Launches a job, and waits until its extraction has read everything.
    func extract(_ job: String, by function: EmulatedFunction, documents: Int) async throws {
        let answer = try await function.invoke(try await insertion(of: job))
        guard answer.again == [] else { throw NotAsExpected("\(answer.text); the function says: \(function.log)") }
        try await eventually("the extraction's end") {
            try await sandbox.job(job).extracted == documents ? () : nil
        }
    }

    private static func event(_ messages: [JSONValue]) -> String {
        let records = messages.map { message -> JSONValue in
            [
                "messageId": message["MessageId"] ?? .null, "receiptHandle": message["ReceiptHandle"] ?? .null,
                "body": message["Body"] ?? .null, "attributes": message["Attributes"] ?? .null,
                "eventSource": "aws:sqs",
            ]
        }
        return (["Records": .array(records)] as JSONValue).description
    }

    private func delete(_ messages: [JSONValue], from queue: String) async throws {
        guard !messages.isEmpty else { return }
        let entries = messages.enumerated().map { place, message -> JSONValue in
            ["Id": .string("\(place)"), "ReceiptHandle": message["ReceiptHandle"] ?? .null]
        }
        try await aws([
            "sqs", "delete-message-batch", "--queue-url", url(queue), "--entries", JSONValue.array(entries).description,
        ])
    }

    private func url(_ queue: String) -> String {
        "\(world.cloud.url)/\(world.cloud.environment["AWS_ACCESS_KEY_ID"] ?? "")/sluice-\(queue)"
    }

    /// What the command line of AWS answers.
    @discardableResult
    private func aws(_ words: [String]) async throws -> JSONValue {
        // It goes by another variable than every SDK.
        let region = ["AWS_DEFAULT_REGION": world.cloud.environment["AWS_REGION"] ?? ""]
        let all = ["aws", "--endpoint-url", world.cloud.url] + words
        let end = try await runTool(all, environment: world.cloud.environment.merging(region) { $1 })
        guard end.status == 0 else { throw NotAsExpected("aws \(words.joined(separator: " ")): \(end.output)") }
        return end.output.isEmpty ? [:] : try JSONValue.parse(end.output)
    }
}
