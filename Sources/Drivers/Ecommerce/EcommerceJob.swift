// What the server says of a job.
import SluiceCore

/// A job as it stands.
enum EcommerceJob {
    /// Not finished, or in a state that we don't know.
    case open
    /// Processed; what is not among the failures ended well.
    case completed(Failures)
    /// The whole job failed.
    case failed(reason: String)

    enum Failures: Equatable {
        case items([EcommerceItem])
        /// So many failed, and it does not say which.
        case count(Int)
    }

    init(_ body: [UInt8]) throws(EcommerceUnreadable) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body)
        } catch {
            throw EcommerceUnreadable(text: "its answer is no JSON: \(error)")
        }
        guard let status = value["status"]?.stringValue else {
            throw EcommerceUnreadable(text: "its answer holds no status")
        }
        switch status.uppercased() {
        case "COMPLETED": self = .completed(try Self.failures(value["failedItems"] ?? value["failed_items"]))
        case "FAILED": self = .failed(reason: EcommerceWords.text(of: value) ?? "the server does not say why")
        default: self = .open
        }
    }

    private static func failures(_ value: JSONValue?) throws(EcommerceUnreadable) -> Failures {
        switch value {
        case nil, .null: return .items([])
        case .array(let elements): return .items(elements.map { EcommerceItem(failed: $0) })
        case .number(let number):
            if let count = number.intValue, count >= 0 { return .count(count) }
        default: break
        }
        throw EcommerceUnreadable(text: "its failedItems are neither a list nor a number")
    }
}
