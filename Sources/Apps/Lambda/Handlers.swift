// From an invocation's event to the engine's functions, and back to an answer.
import AWSDriver
import LambdaDriver
import Logging
import SluiceAssembly
import SluiceCore
import SluiceEngine

/// Which function a process is.
enum Function: String, CaseIterable, Sendable {
    /// The job table's stream: launches extractions.
    case extraction
    /// The replay queue: delivers chunks.
    case replay
    /// The progress queue: books what was delivered.
    case progress
    /// Once a minute: asks for confirmations and looks after live jobs.
    case confirm

    /// - Throws: `LambdaFailure` naming the functions there are.
    init(environment: [String: String]) throws(LambdaFailure) {
        let name = environment["_HANDLER"] ?? ""
        guard let function = Function(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw LambdaFailure("Sluice.Configuration", "the handler is \"\(name)\"; it must be one of \(known)")
        }
        self = function
    }
}

/// Handles the invocations of one function.
struct Handlers: Sendable {
    private let function: Function
    private let functions: Functions
    private let clock: any Timekeeping
    private let logger: Logger

    /// - Throws: what is missing for the function.
    init(_ function: Function, _ deployment: Deployment, environment: [String: String]) async throws {
        self.function = function
        let launcher = try await deployment.launcher(environment: environment)
        if function == .extraction, launcher == nil {
            throw LambdaFailure(
                "Sluice.Configuration",
                "there is nowhere to launch extractions: set SLUICE_KUBERNETES_CLUSTER and SLUICE_KUBERNETES_IMAGE"
            )
        }
        functions = deployment.functions(launcher: launcher)
        clock = deployment.context.clock
        logger = deployment.context.logger
    }

    init(_ function: Function, _ functions: Functions, clock: any Timekeeping, logger: Logger) {
        self.function = function
        self.functions = functions
        self.clock = clock
        self.logger = logger
    }

    /// - Throws: what fails the invocation as a whole.
    func handle(_ invocation: LambdaInvocation) async throws -> [UInt8] {
        let begun = clock.now
        let end = begun.advanced(by: Self.timeToWork(from: begun, to: invocation.deadline))
        let answer: [UInt8]
        let count: Int
        let again: Int
        do {
            (answer, count, again) = try await self.answer(invocation.event, until: end)
        } catch {
            // Who invoked it may not look at answers.
            logger.error(
                "invocation failed",
                metadata: [
                    "request": "\(invocation.requestID)", "function": "\(function.rawValue)", "error": "\(error)",
                ]
            )
            throw error
        }
        logger.info(
            "invocation",
            metadata: [
                "request": "\(invocation.requestID)", "trace": "\(invocation.traceID ?? "none")",
                "function": "\(function.rawValue)", "records": "\(count)",
                "again": "\(again)", "took": "\(begun.duration(to: clock.now))",
            ]
        )
        return answer
    }

    private func answer(_ event: [UInt8], until end: Timestamp) async throws -> ([UInt8], count: Int, again: Int) {
        switch function {
        case .extraction:
            let batch = try StreamEvent(event, of: Job.schema)
            for problem in batch.unreadable {
                logger.error("a change of the job table can't be read", metadata: ["error": "\(problem)"])
            }
            let again = await functions.launch(batch.changes, until: end)
            return (batch.answer(again: again), batch.changes.count, again.count)
        case .replay:
            let batch = try SQSEvent(event, now: clock.now)
            let again = await functions.deliver(batch.messages, until: end)
            return (batch.answer(again: again), batch.messages.count, again.count)
        case .progress:
            let batch = try SQSEvent(event, now: clock.now)
            let again = await functions.book(batch.messages, until: end)
            return (batch.answer(again: again), batch.messages.count, again.count)
        case .confirm:
            try await functions.tick(until: end)
            return (Array("{}".utf8), 0, 0)
        }
    }

    /// A fifth of what is left is kept for giving back and for the answer, ten seconds at most.
    static func timeToWork(from now: Timestamp, to deadline: Timestamp) -> Duration {
        let left = max(.zero, now.duration(to: deadline))
        return left - min(left / 5, .seconds(10))
    }
}
