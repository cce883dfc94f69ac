// A message queue on SQS.
package import SluiceCore

/// A standard queue of SQS.
///
/// Bodies are texts as they are, and Base64 where they are none: see `MessageText`. Durations are rounded up to whole seconds.
/// A receive that waits holds a connection of the client's peer, which needs as many more.
package final class SQSQueue: MessageQueue {
    package let name: String
    package let url: String
    let sqs: SQS
    private let attempts: BatchAttempts
    private let clock: any Timekeeping
    private let sends: BatchGatherer<Outgoing>
    private let deletes: BatchGatherer<String>

    struct Outgoing: Sendable {
        let body: String
        let delaySeconds: Int
    }

    private static let delayMax: Duration = .seconds(15 * 60)
    private static let invisibleMax: Duration = .seconds(12 * 60 * 60)
    private static let waitSecondsMax = 20
    private static let receiveMax = 1000
    /// Calls of one receive, delete or change of visibility at the same moment.
    private static let width = 8

    /// - Parameters:
    ///   - client: of SQS in the queue's region.
    ///   - name: as the house calls it.
    ///   - url: the queue's address.
    package init(_ client: AWSClient, name: String, url: String) {
        let sqs = SQS(client)
        let attempts = BatchAttempts(policy: client.policy, clock: client.clock, random: client.random)
        self.sqs = sqs
        self.name = name
        self.url = url
        self.attempts = attempts
        clock = client.clock
        sends = BatchGatherer {
            $0.body.utf8.count
        } transmit: { entries in
            await attempts.run(entries) { entries throws(AWSError) in
                try await sqs.send(entries.map { ($0.body, $0.delaySeconds) }, to: url)
            }
        }
        deletes = BatchGatherer { _ in
            0
        } transmit: { receipts in
            await attempts.run(receipts, ignoring: BatchAttempts.isOutdated) { receipts throws(AWSError) in
                try await sqs.delete(receipts, from: url)
            }
        }
    }

    package var bodyBytesMax: Int { MessageText.bytesMax }

    package func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        for message in messages {
            guard message.body.count <= bodyBytesMax else {
                let problem = "a message of \(message.body.count) bytes is over the \(bodyBytesMax) that \(name) takes"
                throw PortError(.invalidRequest, "\(problem); keep its body in the object store and send its key")
            }
            guard (.zero...Self.delayMax).contains(message.delay) else {
                throw PortError(.invalidRequest, "a delay of \(message.delay) is not between 0 and 15 minutes")
            }
        }
        try await sends.send(
            messages.map {
                Outgoing(body: MessageText.text(of: $0.body), delaySeconds: $0.delay.secondsRoundedUp)
            }
        )
    }

    package func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage] {
        guard (1...Self.receiveMax).contains(limit) else {
            throw PortError(.invalidRequest, "a receive brings 1 to \(Self.receiveMax) messages, not \(limit)")
        }
        try Self.check(invisible)
        let deadline = clock.now.advanced(by: wait)
        var left = wait
        repeat {
            if Task.isCancelled { return [] }
            let seconds = min(Self.waitSecondsMax, max(0, left.secondsRoundedUp))
            let count = min(limit, SQS.batchMax)
            let first: [ReceivedMessage]
            do throws(AWSError) {
                first = try await receiveOnce(count, invisible, waitSeconds: seconds)
            } catch {
                guard error.kind == .cancelled else { throw error.portError }
                return []
            }
            if !first.isEmpty {
                return first.count < count ? first : first + (await more(limit - count, invisible))
            }
            left = clock.now.duration(to: deadline)
        } while left > .zero
        return []
    }

    package func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        try await deletes.send(receipts.map(\.token))
    }

    package func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try Self.check(invisible)
        let batches = stride(from: 0, to: receipts.count, by: SQS.batchMax).map { from in
            receipts[from..<min(receipts.count, from + SQS.batchMax)].map(\.token)
        }
        let error = await inParallel(batches, width: Self.width) { batch in
            let outcomes = await self.attempts.run(batch, ignoring: BatchAttempts.isOutdated) {
                batch throws(AWSError) in
                try await self.sqs.changeVisibility(batch, of: self.url, seconds: invisible.secondsRoundedUp)
            }
            return outcomes.lazy.compactMap { $0 }.first
        }
        if let error { throw error }
    }

    package func depth() async throws(PortError) -> QueueDepth {
        let prefix = "ApproximateNumberOfMessages"
        let attributes: [String: String]
        do throws(AWSError) {
            attributes = try await sqs.attributes(of: url, [prefix, "\(prefix)NotVisible", "\(prefix)Delayed"])
        } catch {
            throw error.portError
        }
        let number = { (name: String) in attributes[prefix + name].flatMap { Int($0) } ?? 0 }
        return QueueDepth(visible: number(""), invisible: number("NotVisible"), delayed: number("Delayed"))
    }

    private func receiveOnce(
        _ count: Int,
        _ invisible: Duration,
        waitSeconds: Int
    ) async throws(AWSError) -> [ReceivedMessage] {
        let messages = try await sqs.receive(
            from: url,
            limit: count,
            invisibleSeconds: invisible.secondsRoundedUp,
            waitSeconds: waitSeconds
        )
        return messages.map { message in
            ReceivedMessage(
                receipt: MessageReceipt(token: message.receipt),
                body: MessageText.bytes(of: message.body),
                receiveCount: message.receiveCount,
                sentAt: message.sentAt
            )
        }
    }

    /// What there is beyond the first ten, without waiting.
    ///
    /// It fails silently: what was received before is hidden from everybody else, so that it is worth more than an error that
    /// the next receive will meet again.
    private func more(_ limit: Int, _ invisible: Duration) async -> [ReceivedMessage] {
        var all: [ReceivedMessage] = []
        while all.count < limit, !Task.isCancelled {
            let asked = min(limit - all.count, Self.width * SQS.batchMax)
            let got = await withTaskGroup(of: [ReceivedMessage].self) { group in
                for from in stride(from: 0, to: asked, by: SQS.batchMax) {
                    group.addTask {
                        let count = min(SQS.batchMax, asked - from)
                        return (try? await self.receiveOnce(count, invisible, waitSeconds: 0)) ?? []
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            all += got
            if got.count < asked { break }
        }
        return all
    }

    private static func check(_ invisible: Duration) throws(PortError) {
        guard (.zero...invisibleMax).contains(invisible) else {
            throw PortError(.invalidRequest, "a message can be hidden for 0 to 12 hours, not for \(invisible)")
        }
    }
}

extension Duration {
    var secondsRoundedUp: Int { Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0) }
}
