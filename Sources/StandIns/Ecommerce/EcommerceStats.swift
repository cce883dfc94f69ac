// How much the stand-in of the Ecommerce API was asked, and what it answered.
import SluiceCore

/// Counters since the stand-in began.
package struct EcommerceStats: Sendable {
    /// By kind of request and status; 0 stands for a connection that was broken without an answer.
    package internal(set) var answers: [EcommerceRequestKind: [Int: Int]] = [:]
    /// Documents in accepted writes, repeated ones too.
    package internal(set) var documentsAccepted = 0
    package internal(set) var itemsFailed = 0
    package internal(set) var jobs = 0
    /// The most requests that were under way at one time.
    package internal(set) var requestsAtOnceMax = 0

    package init() {}

    /// How many requests of a kind were answered with a status, or with any.
    package func count(_ kind: EcommerceRequestKind, _ status: Int? = nil) -> Int {
        guard let status else { return answers[kind, default: [:]].values.reduce(0, +) }
        return answers[kind]?[status] ?? 0
    }

    mutating func note(_ kind: EcommerceRequestKind, _ status: Int) {
        answers[kind, default: [:]][status, default: 0] += 1
    }

    /// The counters as a program reads them, with how often each fault struck and what each index holds.
    func json(faults: [String: Int], documents: [(index: String, count: Int)]) -> JSONValue {
        var requests = JSONObject()
        for kind in EcommerceRequestKind.allCases {
            var statuses = JSONObject()
            for (status, count) in (answers[kind] ?? [:]).sorted(by: { $0.key < $1.key }) {
                statuses["\(status)"] = .number(JSONNumber(count))
            }
            requests[kind.rawValue] = .object(statuses)
        }
        var struck = JSONObject()
        for (name, count) in faults.sorted(by: { $0.key < $1.key }) { struck[name] = .number(JSONNumber(count)) }
        var indexes = JSONObject()
        for (index, count) in documents { indexes[index] = .number(JSONNumber(count)) }
        return [
            "requests": .object(requests), "faults": .object(struck), "documents": .object(indexes),
            "documents_accepted": .number(JSONNumber(documentsAccepted)),
            "items_failed": .number(JSONNumber(itemsFailed)), "jobs": .number(JSONNumber(jobs)),
            "requests_at_once_max": .number(JSONNumber(requestsAtOnceMax)),
        ]
    }
}
