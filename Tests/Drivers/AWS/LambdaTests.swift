// Lambda's calls, as they go over the wire and come back.
import SluiceCore
import SluiceStandIns
import Testing

@testable import AWSDriver

@Suite("Lambda", .timeLimit(.minutes(10)))
struct LambdaTests {
    private func run(_ answers: [Answer], _ body: (Lambda, ScriptedStandIn) async throws -> Void) async throws {
        try await AWSWorld.run(.lambda, ScriptedStandIn(answers)) { client, standIn in
            try await body(Lambda(client), standIn)
        }
    }

    @Test("an invocation carries its payload, and brings back the answer of the version that ran")
    func invoke() async throws {
        var answer = Answer(200, #"{"ok":true}"#)
        answer.headers.append(("X-Amz-Executed-Version", "7"))
        try await run([answer]) { lambda, standIn async throws in
            let got = try await lambda.invoke("arn:aws:lambda:eu-west-1:1:function:f:live", Array(#"{"a":1}"#.utf8))
            #expect(got == Lambda.Answer(payload: Array(#"{"ok":true}"#.utf8), functionError: nil, version: "7"))
            let asked = try #require(standIn.asked.first)
            let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af%3Alive/invocations"
            #expect(asked.target == path)
            #expect(asked.text == #"{"a":1}"#)
            #expect(asked.header("X-Amz-Invocation-Type") == "RequestResponse")
            #expect(asked.header("Authorization")?.contains("/eu-west-1/lambda/aws4_request") == true)
        }
    }

    @Test("a function that failed is an answer, not an error of the call")
    func functionError() async throws {
        var answer = Answer(200, #"{"errorMessage":"Task timed out"}"#)
        answer.headers.append(("X-Amz-Function-Error", "Unhandled"))
        try await run([answer]) { lambda, _ async throws in
            let got = try await lambda.invoke("f", [])
            #expect(got.functionError == "Unhandled")
            #expect(String(decoding: got.payload, as: UTF8.self).contains("timed out"))
        }
    }

    @Test("what may have begun to run is not invoked again; a check is")
    func notTwice() async throws {
        let broken = Answer(500, #"{"Type":"Server","Message":"broken"}"#)
        try await run([broken, Answer(200, "{}")]) { lambda, standIn async throws in
            let error = await #expect(throws: AWSError.self) { _ = try await lambda.invoke("f", []) }
            #expect(error?.outcomeUnknown == true)
            #expect(standIn.asked.count == 1)
        }
        try await run([broken, Answer(204, "")]) { lambda, standIn async throws in
            let got = try await lambda.invoke("f", [], .dryRun)
            #expect(got.payload.isEmpty)
            #expect(standIn.asked.count == 2)
        }
    }

    @Test("who reads a queue is listed to the last page, and how long they may run")
    func mappings() async throws {
        let first = #"{"EventSourceMappings":[{"FunctionArn":"a","State":"Enabled"}],"NextMarker":"m/1"}"#
        let second = #"{"EventSourceMappings":[{"FunctionArn":"b","State":"Disabled"}]}"#
        try await run([Answer(200, first), Answer(200, second), Answer(200, #"{"Timeout":900}"#)]) {
            lambda,
            standIn async throws in
            let found = try await lambda.eventSourceMappings(of: "arn:q")
            #expect(found.map(\.function) == ["a", "b"])
            #expect(found.map(\.state) == ["Enabled", "Disabled"])
            #expect(try await lambda.timeout(of: "a") == .seconds(900))
            let targets = standIn.asked.map(\.target)
            #expect(targets[0] == "/2015-03-31/event-source-mappings?EventSourceArn=arn%3Aq")
            #expect(targets[1] == "/2015-03-31/event-source-mappings?EventSourceArn=arn%3Aq&Marker=m%2F1")
            #expect(targets[2] == "/2015-03-31/functions/a/configuration")
        }
    }

    @Test("an answer without what was asked for is none")
    func senseless() async throws {
        try await run([Answer(200, #"{"EventSourceMappings":[{}]}"#)]) { lambda, _ async throws in
            let error = await #expect(throws: AWSError.self) { _ = try await lambda.eventSourceMappings(of: "q") }
            #expect(error?.kind == .invalidAnswer)
        }
        try await run([Answer(200, "{}")]) { lambda, _ async throws in
            let error = await #expect(throws: AWSError.self) { _ = try await lambda.timeout(of: "f") }
            #expect(error?.kind == .invalidAnswer)
        }
    }

    @Test("the emulator knows the calls")
    func emulator() async throws {
        try await Emulator.withAccount { account in
            let lambda = Lambda(try account.client(.lambda))
            #expect(try await lambda.eventSourceMappings(of: "arn:aws:sqs:us-east-1:1:none").isEmpty)
            let error = await #expect(throws: AWSError.self) { _ = try await lambda.invoke("none", []) }
            #expect(error?.code == "ResourceNotFoundException", "\(String(describing: error))")
        }
    }
}
