// The Lambda Runtime API: how a program takes invocations and answers them.
package import SluiceCore

/// One invocation of a function.
package struct LambdaInvocation: Sendable {
    package let requestID: String
    /// When the platform ends the process, answered or not.
    package let deadline: Timestamp
    package let functionARN: String?
    /// For X-Ray.
    package let traceID: String?
    /// The event.
    package let event: [UInt8]

    package init(
        requestID: String,
        deadline: Timestamp,
        functionARN: String? = nil,
        traceID: String? = nil,
        event: [UInt8]
    ) {
        self.requestID = requestID
        self.deadline = deadline
        self.functionARN = functionARN
        self.traceID = traceID
        self.event = event
    }
}

/// Why a function, or its start, failed, in the platform's words.
package struct LambdaFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Such as `Sluice.BadEvent`; what monitoring counts by.
    package let type: String
    package let message: String

    package init(_ type: String, _ message: String) {
        self.type = type
        self.message = message
    }

    package var description: String { "\(type): \(message)" }

    /// A failure as the platform reads it.
    var bytes: [UInt8] {
        let value = JSONValue.object([
            "errorMessage": .string(message), "errorType": .string(type), "stackTrace": .array([]),
        ])
        return value.bytes()
    }
}
