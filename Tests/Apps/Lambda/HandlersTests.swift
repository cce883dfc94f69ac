// Events as AWS sends them, through the functions, to the answers that AWS reads.
import AWSDriver
import LambdaDriver
import SluiceCore
import Testing

@testable import sluice_lambda

@Suite("What a Lambda function is told, and its time")
struct HandlersTests {
    @Test("a handler is one of four", arguments: [("extraction", Function.extraction), ("confirm", .confirm)])
    func known(name: String, function: Function) throws {
        #expect(try Function(environment: ["_HANDLER": name]) == function)
    }

    @Test("an unknown handler is told with those there are", arguments: ["", "Replay", "app.handler"])
    func unknown(name: String) {
        let failure = #expect(throws: LambdaFailure.self) { try Function(environment: ["_HANDLER": name]) }
        #expect(failure?.message.contains("extraction, replay, progress, confirm") == true)
    }

    @Test(
        "time is kept for giving back and for the answer",
        arguments: [(60, 50), (900, 890), (3, 2.4), (0, 0), (-5, 0)] as [(Double, Double)]
    )
    func time(left: Double, work: Double) {
        let now = Timestamp(milliseconds: 1_790_000_000_000)
        let end = now.advanced(by: .milliseconds(Int(left * 1000)))
        #expect(Handlers.timeToWork(from: now, to: end) == .milliseconds(Int(work * 1000)))
    }
}
