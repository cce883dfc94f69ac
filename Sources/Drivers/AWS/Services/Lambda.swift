// Lambda: invoking functions, and what is set up to invoke them.
internal import HTTPDriver
internal import SluiceCore

/// Lambda by its REST protocol.
package struct Lambda: Sendable {
    /// How a function is asked.
    package enum Invocation: String, Sendable {
        /// The answer is waited for.
        case requestResponse = "RequestResponse"
        /// Lambda takes the event, and tries up to three times by itself.
        case event = "Event"
        /// Nothing happens but the check whether it would be allowed.
        case dryRun = "DryRun"
    }

    /// What a function answered.
    package struct Answer: Sendable, Equatable {
        package let payload: [UInt8]
        /// `Handled` or `Unhandled` if the function failed; its payload then tells how.
        package let functionError: String?
        /// The version that ran.
        package let version: String?
    }

    /// What a queue or stream is read by.
    package struct EventSourceMapping: Sendable, Equatable {
        package let function: String
        /// Such as `Enabled` or `Disabled`.
        package let state: String
    }

    /// How long Lambda lets a function run at most.
    private static let runMax: Duration = .seconds(900)
    private static let answerMax = 8 << 20

    private let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    /// Invokes a function.
    ///
    /// It is tried again only if the try before certainly did not begin, since a function may not bear running twice.
    ///
    /// - Parameters:
    ///   - function: its name or ARN, perhaps with `:` and a version or alias.
    ///   - payload: JSON; up to 6 MiB, 1 MiB for an event.
    ///   - how: whether the answer is waited for.
    /// - Returns: what it answered; an `event` and a `dryRun` are answered with nothing.
    /// - Throws: Lambda's refusal; a function that failed is no error of the call.
    package func invoke(
        _ function: String,
        _ payload: [UInt8],
        _ how: Invocation = .requestResponse
    ) async throws(AWSError) -> Answer {
        let path = "/2015-03-31/functions/\(Escaping.escaped(function))/invocations"
        var call = AWSCall("Invoke", path: path, body: HTTPBody(payload))
        call.headers = [("Content-Type", "application/json"), ("X-Amz-Invocation-Type", how.rawValue)]
        call.isRepeatable = how == .dryRun
        if how == .requestResponse { call.timeout = Self.runMax }
        let answer = try await client.send(call, bodyMax: Self.answerMax)
        return Answer(
            payload: answer.body,
            functionError: answer.reply.header("X-Amz-Function-Error"),
            version: answer.reply.header("X-Amz-Executed-Version")
        )
    }

    /// Which functions read a queue or a stream.
    package func eventSourceMappings(of arn: String) async throws(AWSError) -> [EventSourceMapping] {
        let operation = "ListEventSourceMappings"
        var mappings: [EventSourceMapping] = []
        var marker: String?
        repeat {
            var call = AWSCall(operation, .get, path: "/2015-03-31/event-source-mappings")
            call.query = [("EventSourceArn", arn)] + (marker.map { [("Marker", $0)] } ?? [])
            let answer = try await client.object(call)
            for value in answer["EventSourceMappings"]?.arrayValue ?? [] {
                guard let function = value["FunctionArn"]?.stringValue, let state = value["State"]?.stringValue else {
                    throw client.senseless(operation, "a mapping lacks its FunctionArn or State")
                }
                mappings.append(EventSourceMapping(function: function, state: state))
            }
            marker = answer["NextMarker"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        } while marker != nil
        return mappings
    }

    /// How long a function may run.
    package func timeout(of function: String) async throws(AWSError) -> Duration {
        let operation = "GetFunctionConfiguration"
        let path = "/2015-03-31/functions/\(Escaping.escaped(function))/configuration"
        guard let seconds = try await client.object(AWSCall(operation, .get, path: path))["Timeout"]?.intValue else {
            throw client.senseless(operation, "the answer holds no Timeout")
        }
        return .seconds(seconds)
    }
}
