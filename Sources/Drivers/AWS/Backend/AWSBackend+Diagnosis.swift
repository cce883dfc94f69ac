// Looks a deployment on AWS over, and changes nothing.
package import SluiceCore

/// One thing that was looked at on AWS.
package struct AWSFinding: Sendable, Hashable {
    package let check: String
    package let detail: String
    /// What to do; nil if it is sound.
    package let fix: String?
}

extension AWSBackend {
    /// AWS takes signatures that are up to five minutes off; leases and dates want better.
    private static let skewMax: Duration = .seconds(5)
    private static let create = "run `sluice tables create`"

    /// Who we are, whether the clock is right, and whether everything is there, set up as it should be, and permitted.
    ///
    /// - Parameters:
    ///   - schemas: the tables.
    ///   - setups: the queues.
    ///   - visibility: the least that a queue with dead letters should hide messages for.
    /// - Returns: a finding for each thing; who we are is the first, and the last if nobody knows us.
    package func examine(
        _ schemas: [TableSchema],
        _ setups: [QueueSetup] = Queues.setups,
        visibility: Duration
    ) async -> [AWSFinding] {
        let identity: STS.Identity
        let askedAt = clock.now
        do {
            identity = try await sts.callerIdentity()
        } catch {
            let fix = "check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, …), AWS_REGION and the endpoint"
            return [AWSFinding(check: "credentials", detail: "\(error)", fix: fix)]
        }
        var findings = [
            AWSFinding(check: "credentials", detail: "\(identity.arn) in \(region)", fix: nil),
            Self.clockFinding(theirs: identity.answeredAt, between: askedAt, and: clock.now),
        ]
        for schema in schemas { findings.append(await examine(schema)) }
        for setup in setups { findings.append(await examine(setup, visibility)) }
        findings.append(await examineBucket())
        return findings
    }

    /// - Parameters:
    ///   - theirs: AWS's clock when it answered, in whole seconds.
    ///   - askedAt: our clock before.
    ///   - heardAt: our clock after; what is between them may be the way and the waiting.
    /// - Returns: whether they agree to within seconds.
    static func clockFinding(
        theirs: Timestamp?,
        between askedAt: Timestamp,
        and heardAt: Timestamp
    ) -> AWSFinding {
        guard let theirs else {
            return AWSFinding(check: "clock", detail: "AWS did not say what time it is", fix: nil)
        }
        let ahead = theirs.advanced(by: .seconds(1)).duration(to: askedAt)
        let behind = heardAt.duration(to: theirs)
        let detail =
            ahead > .zero
            ? "\(ahead.secondsRoundedUp) seconds ahead of AWS's"
            : behind > .zero ? "\(behind.secondsRoundedUp) seconds behind AWS's" : "agrees with AWS's"
        let isRight = max(ahead, behind) <= skewMax
        return AWSFinding(check: "clock", detail: detail, fix: isRight ? nil : "set this machine's clock, by NTP")
    }

    private func examine(_ schema: TableSchema) async -> AWSFinding {
        let name = tables.name(of: schema)
        do throws(PortError) {
            try await tables.check(schema)
            try await tables.probe(schema)
            return AWSFinding(check: "table \(name)", detail: "is as it should be", fix: nil)
        } catch {
            return AWSFinding(check: "table \(name)", detail: error.message, fix: Self.fix(error))
        }
    }

    private func examine(_ setup: QueueSetup, _ visibility: Duration) async -> AWSFinding {
        let check = "queue \(prefix)\(setup.name)"
        do throws(PortError) {
            let queue = try await SQSQueue.open(setup.name, prefix: prefix, sqs)
            let problems = try await queue.differences(from: setup, prefix: prefix, visibility: visibility)
            guard problems.isEmpty else {
                return AWSFinding(check: check, detail: problems.joined(separator: "; "), fix: Self.create)
            }
            let readers = try await Self.readers(of: queue, SQS(sqs), lambda)
            if let slow = readers.slow {
                let fix = "let the queue hide messages for six times as long as the function may run"
                return AWSFinding(check: check, detail: slow, fix: fix)
            }
            let depth = try await queue.depth()
            let numbers = "\(depth.visible) visible, \(depth.invisible) invisible, \(depth.delayed) delayed"
            let detail = [numbers, readers.note].filter { !$0.isEmpty }.joined(separator: "; ")
            guard setup.deadLetterQueue == nil, depth.visible > 0 else {
                return AWSFinding(check: check, detail: detail, fix: nil)
            }
            let fix = "run `sluice worker`: it books what nobody could handle; what it can't read it names in its log"
            return AWSFinding(check: check, detail: detail, fix: fix)
        } catch {
            return AWSFinding(check: check, detail: error.message, fix: Self.fix(error))
        }
    }

    /// Which functions read a queue, and which of them may run for longer than it hides their messages.
    static func readers(
        of queue: SQSQueue,
        _ sqs: SQS,
        _ lambda: Lambda
    ) async throws(PortError) -> (note: String, slow: String?) {
        do throws(AWSError) {
            let found = try await sqs.attributes(of: queue.url, ["QueueArn", "VisibilityTimeout"])
            guard let arn = found["QueueArn"] else { return ("", nil) }
            let mappings = try await lambda.eventSourceMappings(of: arn).filter { $0.state == "Enabled" }
            for mapping in mappings {
                let timeout = try await lambda.timeout(of: mapping.function)
                let hidden = Duration.seconds(found["VisibilityTimeout"].flatMap { Int64($0) } ?? 0)
                if hidden < timeout {
                    let problem = "hides messages for \(hidden), and \(mapping.function) may run for \(timeout)"
                    return ("", "it \(problem): what is still at work would be given to others")
                }
            }
            return (mappings.isEmpty ? "" : "read by \(mappings.count) functions", nil)
        } catch {
            // Who runs no functions needs no permission to see them.
            guard error.portError.code == .unauthorized else { throw error.portError }
            return ("whether functions read it we may not see", nil)
        }
    }

    private func examineBucket() async -> AWSFinding {
        let check = "bucket \(s3.bucket)"
        do throws(PortError) {
            _ = try await objects.list(prefix: "", after: nil, limit: 1)
            guard try await objects.removesAbandonedParts() else {
                let detail = "keeps parts of uploads that nobody finished, and they cost"
                return AWSFinding(check: check, detail: detail, fix: Self.create)
            }
            return AWSFinding(check: check, detail: "is as it should be", fix: nil)
        } catch {
            return AWSFinding(check: check, detail: error.message, fix: Self.fix(error))
        }
    }

    private static func fix(_ error: PortError) -> String {
        switch error.code {
        case .notFound: create
        case .unauthorized: "allow it to the role or user that `credentials` names"
        case .invalidRequest: "name another prefix or bucket, or make it anew with `sluice tables create`"
        default: "try again; AWS's health page tells more"
        }
    }
}
