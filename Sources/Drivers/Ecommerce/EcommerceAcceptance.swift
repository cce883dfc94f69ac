// What the server says to a write that it took.
import SluiceCore

/// Why an answer can't be made sense of.
struct EcommerceUnreadable: Error {
    var text: String
}

/// An answer of 2xx to documents.
enum EcommerceAcceptance {
    /// They are processed later, by this job.
    case job(String)
    /// They were processed; one result for each id.
    case items([EcommerceItem])

    init(_ body: [UInt8]) throws(EcommerceUnreadable) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body)
        } catch {
            throw EcommerceUnreadable(text: "its answer is no JSON: \(error)")
        }
        if let id = ["job_id", "jobId", "id"].lazy.compactMap({ value[$0]?.idText }).first(where: { !$0.isEmpty }) {
            self = .job(id)
        } else if let items = value["items"]?.arrayValue {
            self = .items(items.map { EcommerceItem($0) })
        } else {
            throw EcommerceUnreadable(text: "its answer names neither a job nor results")
        }
    }
}

/// What the server says of one document.
struct EcommerceItem: Equatable {
    /// Nil if it names none.
    var id: String?
    var outcome: RecordOutcome

    /// Reads one result of an answer.
    init(_ value: JSONValue) {
        id = value["_id"]?.idText ?? value["id"]?.idText
        let status = value["status"]?.intValue ?? value["code"]?.intValue
        let said = EcommerceWords.text(of: value)
        outcome = Self.outcome(status: status, said: said, isFailure: false)
    }

    /// Reads one element of `failedItems`: an object, or only an id.
    init(failed value: JSONValue) {
        guard let id = value.idText else {
            self.id = value["_id"]?.idText ?? value["id"]?.idText
            let status = value["status"]?.intValue ?? value["code"]?.intValue
            outcome = Self.outcome(status: status, said: EcommerceWords.text(of: value), isFailure: true)
            return
        }
        self.id = id
        outcome = .refused(reason: "the server says that the item failed, and not why")
    }

    private static func outcome(status: Int?, said: String?, isFailure: Bool) -> RecordOutcome {
        let isGood = !isFailure && (status.map { (200..<300).contains($0) } ?? (said == nil))
        if isGood { return .completed }
        let reason = [status.map { "item status \($0)" }, said].compactMap { $0 }.joined(separator: ": ")
        let words = reason.isEmpty ? "the server says that the item failed, and not why" : reason
        switch status {
        case 408, 409, 429, .some(500...): return .retry(reason: words)
        default: return .refused(reason: words)
        }
    }
}

extension JSONValue {
    /// The text of an id: a string as it is, a whole number as it is spelt.
    var idText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.text
        default: nil
        }
    }
}
