// The conversation with the Runtime API, on a script: invocations, answers, failures, and its end.
import HTTPDriver
import LambdaDriver
import SluiceCore
import SluiceStandIns
import Synchronization
import Testing

@Suite("The Lambda Runtime API", .timeLimit(.minutes(10)))
struct LambdaRuntimeTests {
    private static let base = "/2018-06-01/runtime"
    private typealias Answer = ScriptedStandIn.Answer

    /// Hands out these events and then says that the runtime is broken; everything else is accepted.
    private static func script(_ events: [String], accepting status: Int = 202) -> ScriptedStandIn {
        let next = Mutex(0)
        return ScriptedStandIn { _, asked in
            guard asked.path == "\(base)/invocation/next" else { return Answer(status) }
            let number = next.withLock { number in
                defer { number += 1 }
                return number
            }
            guard number < events.count else { return Answer(500) }
            return Answer(
                200,
                events[number],
                headers: [
                    ("Lambda-Runtime-Aws-Request-Id", "id-\(number)"),
                    ("Lambda-Runtime-Deadline-Ms", "\(1_790_000_000_000 + number)"),
                    ("Lambda-Runtime-Trace-Id", "Root=1"), ("Lambda-Runtime-Invoked-Function-Arn", "arn:f"),
                ]
            )
        }
    }

    /// Runs until the script is at its end, which is an error.
    private func run(
        _ standIn: ScriptedStandIn,
        _ handle: @escaping @Sendable (LambdaInvocation) async throws -> [UInt8]
    ) async throws -> LambdaFailure {
        try await withServer(standIn) { url in
            let runtime = try LambdaRuntime(address: String(url.dropFirst("http://".count)))
            let failure = await #expect(throws: LambdaFailure.self) { try await runtime.run(handle) }
            await runtime.shutdown()
            return try #require(failure)
        }
    }

    @Test("each invocation is handed in with its deadline, and its answer under its id")
    func answers() async throws {
        let standIn = Self.script(["one", "two"])
        let seen = Mutex<[LambdaInvocation]>([])
        let failure = try await run(standIn) { invocation in
            seen.withLock { $0.append(invocation) }
            return invocation.event + Array("!".utf8)
        }
        #expect(failure.message.contains("500"))
        #expect(seen.withLock { $0.map(\.deadline.milliseconds) } == [1_790_000_000_000, 1_790_000_000_001])
        #expect(seen.withLock { $0.map(\.functionARN) } == ["arn:f", "arn:f"])
        #expect(seen.withLock { $0.map(\.traceID) } == ["Root=1", "Root=1"])
        let posts = standIn.asked.filter { $0.method == "POST" }
        #expect(posts.map(\.path) == (0...1).map { "\(Self.base)/invocation/id-\($0)/response" })
        #expect(posts.map(\.text) == ["one!", "two!"])
    }

    @Test("a failure fails its own invocation, with its type, and the next one is taken")
    func failures() async throws {
        struct Odd: Error, CustomStringConvertible { let description = "it is odd" }
        let standIn = Self.script(["a", "b", "c"])
        _ = try await run(standIn) { invocation in
            switch invocation.event.first {
            case UInt8(ascii: "a"): throw LambdaFailure("Own.Type", "on purpose")
            case UInt8(ascii: "b"): throw Odd()
            default: return Array("{}".utf8)
            }
        }
        let posts = standIn.asked.filter { $0.method == "POST" }
        #expect(posts.map { $0.path.split(separator: "/").last } == ["error", "error", "response"])
        #expect(posts.map { $0.header("Lambda-Runtime-Function-Error-Type") } == ["Own.Type", "Sluice.Failure", nil])
        let said = try posts.prefix(2).map { try JSONValue.parse($0.body) }
        #expect(said.map { $0["errorMessage"]?.stringValue } == ["on purpose", "it is odd"])
        #expect(said.map { $0["errorType"]?.stringValue } == ["Own.Type", "Sluice.Failure"])
    }

    @Test("an answer that the platform refuses does not end the process", arguments: [400, 403, 413])
    func refusedAnswer(status: Int) async throws {
        let standIn = Self.script(["a", "b"], accepting: status)
        _ = try await run(standIn) { $0.event }
        #expect(standIn.asked.filter { $0.method == "POST" }.count == 2)
    }

    @Test("a runtime that is broken ends the process, with an invocation in hand and without")
    func broken() async throws {
        let standIn = Self.script(["a", "b"], accepting: 500)
        let failure = try await run(standIn) { $0.event }
        #expect(failure.message.contains("500"))
        #expect(standIn.asked.filter { $0.method == "POST" }.count == 1)
    }

    @Test(
        "an invocation without its id or its deadline is none",
        arguments: [[("Lambda-Runtime-Aws-Request-Id", "id")], [("Lambda-Runtime-Deadline-Ms", "5")], []]
    )
    func incomplete(headers: [(String, String)]) async throws {
        let standIn = ScriptedStandIn([Answer(200, "{}", headers: headers.map { (name: $0.0, value: $0.1) })])
        let failure = try await run(standIn) { _ in [] }
        #expect(failure.message.contains("request id or deadline"))
    }

    @Test("a start that failed is told")
    func failedStart() async throws {
        let standIn = ScriptedStandIn([Answer(202)])
        try await withServer(standIn) { url in
            let runtime = try LambdaRuntime(address: String(url.dropFirst("http://".count)))
            try await runtime.failStart(LambdaFailure("Sluice.Configuration", "no bucket is set"))
            await runtime.shutdown()
        }
        let asked = try #require(standIn.asked.first)
        #expect(asked.path == "\(Self.base)/init/error")
        #expect(asked.header("Lambda-Runtime-Function-Error-Type") == "Sluice.Configuration")
        #expect(try JSONValue.parse(asked.body)["errorMessage"]?.stringValue == "no bucket is set")
    }

    @Test("waiting for an invocation ends when the task is cancelled")
    func cancelled() async throws {
        let waiting = AsyncStream.makeStream(of: Void.self)
        let standIn = ScriptedStandIn { _, _ in
            waiting.continuation.yield()
            return .fault(.stall(nil))
        }
        try await withServer(standIn) { url in
            let runtime = try LambdaRuntime(address: String(url.dropFirst("http://".count)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runtime.run { $0.event } }
                for await _ in waiting.stream { break }
                group.cancelAll()
                try await group.waitForAll()
            }
            await runtime.shutdown()
        }
    }

    @Test(
        "an address that is none is told by its variable's name",
        arguments: ["", "http://127.0.0.1:9001", "host/path"]
    )
    func address(text: String) {
        let failure = #expect(throws: LambdaFailure.self) { _ = try LambdaRuntime(address: text) }
        #expect(failure?.message.contains("AWS_LAMBDA_RUNTIME_API") == true)
    }
}
