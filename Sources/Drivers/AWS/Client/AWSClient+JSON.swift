// The protocol of services that speak JSON alone: one path, the operation in a header.
internal import HTTPDriver
package import SluiceCore

/// Which operations a service has, in AWS's JSON protocol 1.0 or 1.1.
package struct AWSJSONProtocol: Sendable, Hashable {
    /// Before the operation's name, such as `AmazonSQS`.
    package let target: String
    package let version: String

    package static let dynamoDB = AWSJSONProtocol(target: "DynamoDB_20120810", version: "1.0")
    package static let dynamoDBStreams = AWSJSONProtocol(target: "DynamoDBStreams_20120810", version: "1.0")
    package static let sqs = AWSJSONProtocol(target: "AmazonSQS", version: "1.0")

    /// A call of an operation.
    ///
    /// - Parameters:
    ///   - operation: its name.
    ///   - input: its fields, as bytes that are one JSON object.
    /// - Returns: a call that may still be given a time-out or a number of tries.
    package func call(_ operation: String, _ input: [UInt8]) -> AWSCall {
        var call = AWSCall(operation, body: HTTPBody(input))
        call.headers = [
            ("Content-Type", "application/x-amz-json-\(version)"), ("X-Amz-Target", "\(target).\(operation)"),
        ]
        return call
    }
}

extension AWSClient {
    /// Makes a call whose answer is a JSON object, or nothing, which is taken for an empty one.
    ///
    /// - Throws: `.invalidAnswer` for anything else.
    package func object(_ call: AWSCall, bodyMax: Int = 16 << 20) async throws(AWSError) -> JSONObject {
        let answer = try await send(call, bodyMax: bodyMax)
        if answer.body.isEmpty { return JSONObject() }
        let problem: String
        do {
            if let object = try JSONValue.parse(answer.body).objectValue { return object }
            problem = "the answer is no JSON object"
        } catch {
            problem = "the answer is no JSON: \(error)"
        }
        throw senseless(call.operation, problem, answer)
    }

    /// Reads an answer that is a JSON object, or nothing, member by member.
    ///
    /// - Throws: `.invalidAnswer` for anything else, and for what `member` refuses.
    func read(
        _ operation: String,
        _ answer: AWSAnswer,
        _ member: (inout AWSJSONReader, _ name: String, Int) -> Place
    ) throws(AWSError) {
        if answer.body.isEmpty { return }
        do {
            try AWSJSONReader.walk(answer.body, member)
        } catch {
            throw senseless(operation, error.description, answer)
        }
    }

    /// The error of a call that succeeded with an answer that makes no sense.
    func senseless(_ operation: String, _ problem: String, _ answer: AWSAnswer? = nil) -> AWSError {
        var error = AWSError(
            .invalidAnswer,
            service: service.name,
            operation: operation,
            message: problem,
            mayHaveReached: true
        )
        error.status = answer?.reply.status
        error.requestID = answer?.requestID
        return error
    }
}
