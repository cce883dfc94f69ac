// Why DynamoDB refused a write, in the words of the port: by condition, by conflict, by throttling.
internal import SluiceCore

/// What an error says of each action of a transaction, or of a single write.
struct CancellationReason {
    var code = ""
    var message = ""
    /// The item that a condition did not hold for, if it was asked for.
    var item: AttributeMap?
}

extension AWSError {
    /// The error of these writes as the port throws it; `positions` are where they stand among the caller's actions.
    func portError(of writes: [DynamoDBWrite], positions: [Int]) -> PortError {
        switch code {
        case "ConditionalCheckFailedException" where !outcomeUnknown:
            let failed = CancellationReason(code: "ConditionalCheckFailed", item: itemOfError)
            return portError(of: writes, positions, [failed])
        case "TransactionCanceledException":
            // Earlier tries had the same token: had one of them been done, this one would have been answered like it.
            guard let reasons, reasons.count == writes.count else {
                return PortError(.unavailable, "\(self); the answer does not say which action was in the way")
            }
            return portError(of: writes, positions, reasons)
        default:
            return portError
        }
    }

    private func portError(
        of writes: [DynamoDBWrite],
        _ positions: [Int],
        _ reasons: [CancellationReason]
    ) -> PortError {
        let all = zip(writes, zip(positions, reasons)).map { (write: $0, position: $1.0, reason: $1.1) }
        let invalid = all.filter { Self.invalidReasons.contains($0.reason.code) }
        if let first = invalid.first {
            return PortError(.invalidRequest, "\(first.write.place): \(first.reason.message) (\(self))")
        }
        // Before the conditions: while another writer is in the way, not all of them were looked at.
        if let first = all.first(where: { $0.reason.code == "TransactionConflict" }) {
            return PortError(.conflict, "another writer is at \(first.write.place) (\(self))")
        }
        if let first = all.first(where: { Self.throttlingReasons.contains($0.reason.code) }) {
            return PortError(.throttled, "\(first.write.place): \(first.reason.message) (\(self))")
        }
        let failed = all.filter { $0.reason.code == "ConditionalCheckFailed" }
        guard !failed.isEmpty else {
            let codes = reasons.map(\.code).joined(separator: ", ")
            return PortError(.unavailable, "a transaction was cancelled for reasons not known here: \(codes) (\(self))")
        }
        // Where the caller's own condition held, it was the one that additions have room.
        let byCondition = failed.filter { !($0.write.isGuarded && $0.write.isConditionMet(by: $0.reason.item)) }
        guard byCondition.isEmpty else {
            let places = byCondition.map(\.write.place).joined(separator: ", ")
            let failedActions = byCondition.map(\.position)
            return PortError(.conditionFailed, "a condition did not hold for \(places)", failedActions: failedActions)
        }
        let places = failed.map(\.write.place).joined(separator: ", ")
        return PortError(
            .invalidRequest,
            "an addition at \(places) is to no whole number, or to one without room for it"
        )
    }

    private static let invalidReasons: Set = ["ItemCollectionSizeLimitExceeded", "ValidationError"]
    private static let throttlingReasons: Set = ["ProvisionedThroughputExceeded", "ThrottlingError"]

    /// The reasons of a cancelled transaction, one for each action; nil if they can't be read.
    private var reasons: [CancellationReason]? {
        var reasons: [CancellationReason] = []
        let isRead = reads { reader, name, place in
            guard name == "CancellationReasons" else { return reader.skip(place) }
            return reader.elements(of: place) { reader, place in
                var reason = CancellationReason()
                let end = reader.members(of: place) { reader, name, place in
                    switch name {
                    case "Code": return reader.string(at: place, into: &reason.code)
                    case "Message": return reader.string(at: place, into: &reason.message)
                    case "Item": return reader.item(at: place, intoNil: &reason.item)
                    default: return reader.skip(place)
                    }
                }
                reasons.append(reason)
                return end
            }
        }
        return isRead ? reasons : nil
    }

    /// The old item that came with a failed condition.
    private var itemOfError: AttributeMap? {
        var item: AttributeMap?
        _ = reads { reader, name, place in
            name == "Item" ? reader.item(at: place, intoNil: &item) : reader.skip(place)
        }
        return item
    }

    private func reads(_ member: (inout AWSJSONReader, _ name: String, Int) -> Place) -> Bool {
        (try? AWSJSONReader.walk(body, member)) != nil
    }
}

extension DynamoDBWrite {
    /// What is written to, for a person.
    fileprivate var place: String { "\(action.schema.name) \(action.key)" }

    fileprivate func isConditionMet(by item: AttributeMap?) -> Bool {
        action.condition?.holds(for: item) ?? true
    }
}

extension AWSJSONReader {
    /// An item where there may be `null`.
    mutating func item(at place: Int, intoNil result: inout AttributeMap?) -> Place {
        if grammar.bytes[place] == UInt8(ascii: "n") { return skip(place) }
        var item: AttributeMap = [:]
        let end = self.item(at: place, into: &item)
        result = item
        return end
    }
}
