// Asks how the documents of a job ended.
import HTTPDriver
package import SluiceCore

extension EcommerceSink {
    package func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation {
        let reply: HTTPReply
        let body: [UInt8]
        do {
            (reply, body) = try await peer.exchange(HTTPCall(.get, jobURL(receipt)), limit: Self.replyBytesMax)
        } catch {
            return Self.isOurs(error) ? .halted(reason: "\(error)") : .unknown(reason: "\(error)", after: nil)
        }
        guard (200..<300).contains(reply.status) else {
            let reason = reason(reply, body)
            switch EcommerceRefusal(reply.status) {
            case .missing: return .forgotten
            case .key, .address: return .halted(reason: mending(reply, reason))
            case .overload: return .overloaded(reason: reason, after: wait(reply))
            case .records, .outage: return .unknown(reason: reason, after: wait(reply))
            }
        }
        do {
            switch try EcommerceJob(body) {
            case .open: return .open
            case .failed(let reason): return .failed(reason: "the job \(receipt) failed: \(words(reason))")
            case .completed(let failures): return await end(failures, of: receipt, request)
            }
        } catch {
            return .unknown(reason: "the server was asked for job \(receipt), but \(words(error.text))", after: nil)
        }
    }

    private func end(
        _ failures: EcommerceJob.Failures,
        of receipt: String,
        _ request: ConfirmationRequest
    ) async -> Confirmation {
        switch failures {
        case .items([]), .count(0):
            return .ended(request.positions.map { _ in .completed })
        case .items(let items):
            return await end(items, of: receipt, request)
        case .count(let count):
            return await end(count, of: receipt, request)
        }
    }

    private func end(
        _ items: [EcommerceItem],
        of receipt: String,
        _ request: ConfirmationRequest
    ) async -> Confirmation {
        let failures = EcommerceFailures(items, silence: nil)
        // A failure without a name may be any record's.
        if failures.namelessCount > 0 { return await end(items.count, of: receipt, request) }
        guard let records = await request.records() else { return Self.withoutRecords(receipt) }
        let strangers = failures.strangers(to: request.positions.compactMap { records.id(at: $0) })
        if !strangers.isEmpty {
            let names = strangers.prefix(5).joined(separator: ", ") + (strangers.count > 5 ? ", …" : "")
            report("job \(receipt) names failed items that were not sent by it: \(words(names))")
        }
        return .ended(outcomes(failures, request.positions, records))
    }

    /// Finds out which records failed when the server only says how many.
    private func end(_ count: Int, of receipt: String, _ request: ConfirmationRequest) async -> Confirmation {
        let reason = "the job \(receipt) counts \(count) failed items and does not name them"
        guard request.positions.count > count else {
            return .ended(request.positions.map { _ in .refused(reason: reason) })
        }
        guard let records = await request.records() else { return Self.withoutRecords(receipt) }
        let ids = request.positions.map { records.id(at: $0) ?? "" }
        // Of documents with one id the server keeps the last, and may count them once or each.
        guard Set(ids.map { Array($0.utf8) }).count > 1 else {
            return .ended(request.positions.map { _ in .refused(reason: reason) })
        }
        // A document that was there before is there still, though its update failed.
        guard type == .post else { return .undetermined(reason: reason) }
        var missing: Set<Int> = []
        do {
            for start in stride(from: 0, to: ids.count, by: readIDsMax) {
                let some = Array(ids[start..<min(start + readIDsMax, ids.count)])
                for (offset, record) in try await read(some).enumerated() where record == nil {
                    missing.insert(start + offset)
                }
            }
        } catch {
            switch error {
            case .transient(let problem): return .unknown(reason: problem, after: nil)
            case .stopped(let problem): return .halted(reason: problem)
            }
        }
        // With an older version of some failed document there, too few are missing.
        guard Set(missing.map { Array(ids[$0].utf8) }).count == count else { return .undetermined(reason: reason) }
        return .ended(
            ids.indices.map { missing.contains($0) ? .refused(reason: "\(reason); it is missing") : .completed }
        )
    }

    private static func withoutRecords(_ receipt: String) -> Confirmation {
        .unknown(
            reason: "job \(receipt) has failed items, and the records to compare them with can't be read",
            after: nil
        )
    }
}
