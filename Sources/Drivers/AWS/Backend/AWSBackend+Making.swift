// Makes what a deployment needs on AWS, for those who deploy without a template.
package import SluiceCore

extension AWSBackend {
    /// What was seen to, by its kind and its name in AWS.
    package struct Made: Sendable, Hashable {
        package let kind: String
        package let name: String
    }

    /// Makes tables, queues and bucket, each unless it is there, and sets them up; doing it twice changes nothing.
    ///
    /// - Parameters:
    ///   - schemas: the tables.
    ///   - setups: the queues.
    ///   - visibility: how long those who name no time hide a message of a queue that has dead letters.
    ///   - done: told of each as soon as it can be used.
    /// - Throws: the first that could not be made, after those before it.
    package func make(
        _ schemas: [TableSchema],
        _ setups: [QueueSetup] = Queues.setups,
        visibility: Duration,
        done: (Made) -> Void = { _ in }
    ) async throws(PortError) {
        for schema in schemas {
            try await tables.make(schema)
            done(Made(kind: "table", name: tables.name(of: schema)))
        }
        _ = try await SQSQueue.make(setups, prefix: prefix, visibility: visibility, sqs)
        for setup in setups { done(Made(kind: "queue", name: prefix + setup.name)) }
        do {
            try await s3.makeBucket()
        } catch {
            throw error.portError
        }
        try await objects.setLifecycle()
        done(Made(kind: "bucket", name: s3.bucket))
    }
}
