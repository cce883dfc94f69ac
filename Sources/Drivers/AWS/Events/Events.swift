// The events that AWS calls functions with, and the answers that say what has to come again.
import SluiceCore

/// An event that is not of the form that AWS documents.
package struct AWSEventError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The answer to a batch: which of its items have to come again, by what AWS calls `ReportBatchItemFailures`.
package enum BatchAnswer {
    /// - Parameter identifiers: message ids of SQS, sequence numbers of a stream. A stream comes again from the first on.
    /// - Returns: JSON.
    package static func bytes(failed identifiers: [String]) -> [UInt8] {
        let failures = identifiers.map { JSONValue.object(["itemIdentifier": .string($0)]) }
        return JSONValue.object(["batchItemFailures": .array(failures)]).bytes()
    }
}
