// Limits as they are spelt on the command line: a number, or the word for none.
import SluiceCore

/// The readings of limits that can be lifted; nil is none.
enum Limit {
    static func rate(_ text: String) throws(JobError) -> Double? {
        try number(text, "rate", orElse: "unlimited") { Double($0) }
    }

    static func deliveryConcurrency(_ text: String) throws(JobError) -> Int? {
        try number(text, "delivery-concurrency", orElse: "auto") { Int($0) }
    }

    static func failureBudget(_ text: String) -> String? {
        text == "off" ? nil : text
    }

    private static func number<Value>(
        _ text: String,
        _ field: String,
        orElse word: String,
        _ read: (String) -> Value?
    ) throws(JobError) -> Value? {
        if text == word { return nil }
        guard let value = read(text) else { throw .field(field, "must be a number or \(word), is \"\(text)\"") }
        return value
    }
}
