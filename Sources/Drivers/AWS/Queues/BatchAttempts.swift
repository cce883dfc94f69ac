// Batches that fail in part: what failed is tried again, and nothing else.
internal import SluiceCore

/// How a batch comes to its end, entry by entry.
struct BatchAttempts: Sendable {
    let policy: RetryPolicy
    let clock: any Timekeeping
    let random: any RandomSource

    /// Sends a batch, then again those entries whose failure may pass.
    ///
    /// - Parameters:
    ///   - entries: of the batch.
    ///   - ignoring: failures that are none to us.
    ///   - call: sends them; each failure names the entry by its place in what it was given.
    /// - Returns: for each entry why it failed, or nil.
    func run<Entry>(
        _ entries: [Entry],
        ignoring: (SQS.Failure) -> Bool = { _ in false },
        _ call: ([Entry]) async throws(AWSError) -> [SQS.Failure]
    ) async -> [PortError?] {
        var outcomes = [PortError?](repeating: nil, count: entries.count)
        var open = Array(entries.indices)
        for tries in 1...policy.triesMax {
            do throws(AWSError) {
                let failures = try await call(open.map { entries[$0] }).filter { !ignoring($0) }
                for place in open { outcomes[place] = nil }
                for failure in failures { outcomes[open[failure.index]] = Self.error(failure) }
            } catch {
                // The client has tried it often enough.
                for place in open { outcomes[place] = error.portError }
                return outcomes
            }
            open = open.filter { outcomes[$0]?.isRetryable ?? false }
            if open.isEmpty || tries == policy.triesMax { break }
            do {
                let wait = policy.wait(after: tries, asked: nil, random: random)
                try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
            } catch {
                for place in open { outcomes[place] = PortError(.cancelled, "cancelled between two tries") }
                break
            }
        }
        return outcomes
    }

    /// Whether a receipt was out of date: the message was received again, has moved, is gone, or was hidden for as long as
    /// SQS lets it.
    static func isOutdated(_ failure: SQS.Failure) -> Bool {
        let code = failure.code.split(separator: ".").last ?? ""
        if code == "ReceiptHandleIsInvalid" || code == "MessageNotInflight" { return true }
        return code == "InvalidParameterValue" && outdated.contains { failure.message.contains($0) }
    }

    private static let outdated = [
        "not available for visibility timeout change",
        "Total VisibilityTimeout for the message is beyond the limit",
    ]

    private static func error(_ failure: SQS.Failure) -> PortError {
        let text = "SQS refused an entry of a batch: \(failure.code): \(failure.message)"
        if AWSErrorCodes.throttling.contains(failure.code) { return PortError(.throttled, text) }
        if !failure.isSenderFault { return PortError(.unavailable, text) }
        return PortError(AWSErrorCodes.ports[failure.code] ?? .invalidRequest, text)
    }
}
