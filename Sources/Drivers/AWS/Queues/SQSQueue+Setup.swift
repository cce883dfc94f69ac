// Making queues, and finding them.
package import SluiceCore

extension SQSQueue {
    /// Opens a queue that is there.
    ///
    /// - Parameters:
    ///   - name: as the house calls it.
    ///   - prefix: before it in AWS.
    ///   - client: of SQS.
    /// - Returns: the queue.
    /// - Throws: `notFound` if there is none.
    package static func open(
        _ name: String,
        prefix: String = "",
        _ client: AWSClient
    ) async throws(PortError) -> SQSQueue {
        do throws(AWSError) {
            return SQSQueue(client, name: name, url: try await SQS(client).url(ofQueue: prefix + name))
        } catch {
            throw error.portError
        }
    }

    /// Makes queues, or sets up anew those that are there; nothing is lost by doing it twice.
    ///
    /// - Parameters:
    ///   - setups: dead-letter queues among them are made before those that name them.
    ///   - prefix: before each name in AWS.
    ///   - visibility: how long those who name no time hide a message of a queue that has dead letters, as functions do; nil
    ///     is 30 seconds.
    ///   - client: of SQS.
    /// - Returns: the queues in the order of `setups`.
    /// - Throws: `notFound` if a dead-letter queue that is not among the setups is not there, or SQS's refusal.
    package static func make(
        _ setups: [QueueSetup],
        prefix: String = "",
        visibility: Duration? = nil,
        _ client: AWSClient
    ) async throws(PortError) -> [SQSQueue] {
        let sqs = SQS(client)
        var urls: [String: String] = [:]
        do throws(AWSError) {
            let ordered = setups.filter { $0.deadLetterQueue == nil } + setups.filter { $0.deadLetterQueue != nil }
            for setup in ordered {
                var attributes = ["MessageRetentionPeriod": String(setup.retention.secondsRoundedUp)]
                if let visibility, setup.deadLetterQueue != nil {
                    attributes["VisibilityTimeout"] = String(visibility.secondsRoundedUp)
                }
                if let letters = setup.deadLetterQueue, let count = setup.maxReceiveCount {
                    if urls[letters] == nil { urls[letters] = try await sqs.url(ofQueue: prefix + letters) }
                    attributes["RedrivePolicy"] = try await redrive(to: urls[letters] ?? "", after: count, sqs)
                }
                urls[setup.name] = try await sqs.makeQueue(prefix + setup.name, attributes)
            }
        } catch {
            throw error.portError
        }
        return setups.map { SQSQueue(client, name: $0.name, url: urls[$0.name] ?? "") }
    }

    private static func redrive(to url: String, after count: Int, _ sqs: SQS) async throws(AWSError) -> String {
        let arn = try await sqs.attributes(of: url, ["QueueArn"])["QueueArn"] ?? ""
        let policy: JSONObject = [
            "deadLetterTargetArn": .string(arn), "maxReceiveCount": .string(String(count)),
        ]
        return String(decoding: JSONValue.object(policy).bytes(), as: UTF8.self)
    }

    /// What is set up otherwise than it should be; empty if nothing is.
    ///
    /// - Parameters:
    ///   - setup: how it should be.
    ///   - prefix: before the dead-letter queue's name in AWS.
    ///   - visibility: the least that a queue with dead letters should hide messages for.
    /// - Returns: a phrase for each difference.
    /// - Throws: SQS's refusal.
    func differences(
        from setup: QueueSetup,
        prefix: String,
        visibility: Duration
    ) async throws(PortError) -> [String] {
        let names = ["RedrivePolicy", "VisibilityTimeout", "MessageRetentionPeriod"]
        let found: [String: String]
        do throws(AWSError) {
            found = try await sqs.attributes(of: url, names)
        } catch {
            throw error.portError
        }
        let seconds = { (name: String) in found[name].flatMap { Int($0) } ?? 0 }
        var problems: [String] = []
        if seconds("MessageRetentionPeriod") < setup.retention.secondsRoundedUp {
            problems.append("it forgets messages after \(seconds("MessageRetentionPeriod")) seconds")
        }
        guard let letters = setup.deadLetterQueue else { return problems }
        if seconds("VisibilityTimeout") < visibility.secondsRoundedUp {
            problems.append("it hides messages for \(seconds("VisibilityTimeout")) seconds only")
        }
        let policy = found["RedrivePolicy"].flatMap { try? JSONValue.parse($0) }
        let target = policy?["deadLetterTargetArn"]?.stringValue?.split(separator: ":").last.map(String.init)
        let count = policy?["maxReceiveCount"].flatMap { $0.intValue ?? $0.stringValue.flatMap { Int($0) } }
        if target != prefix + letters {
            problems.append("its dead letters go to \(target ?? "nowhere")")
        } else if let count, count < setup.maxReceiveCount ?? 1 {
            problems.append("it gives messages up after \(count) receives")
        }
        return problems
    }
}
