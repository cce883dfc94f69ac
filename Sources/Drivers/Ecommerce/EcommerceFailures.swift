// Results by id, and what they mean for the records of a chunk.
import SluiceCore

/// What is known of some ids; of what is said twice about one the worse counts.
struct EcommerceFailures {
    /// By the id's bytes: two spellings that Swift holds for the same are two ids.
    private var outcomes: [[UInt8]: RecordOutcome] = [:]
    private let others: RecordOutcome
    /// How many results name no id.
    private(set) var namelessCount = 0

    /// Silence says why a record that is not mentioned has to be tried again; nil means that it ended well.
    init(_ items: [EcommerceItem], silence: String?) {
        others = silence.map { .retry(reason: $0) } ?? .completed
        for item in items {
            guard let id = item.id else {
                namelessCount += 1
                continue
            }
            let key = Array(id.utf8)
            outcomes[key] = Self.worse(outcomes[key], item.outcome)
        }
    }

    func outcome(of id: String?) -> RecordOutcome {
        id.flatMap { outcomes[Array($0.utf8)] } ?? others
    }

    /// Ids that none of the given ones is.
    func strangers(to ids: [String]) -> [String] {
        let known = Set(ids.map { Array($0.utf8) })
        return outcomes.keys.filter { !known.contains($0) }.map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    private static func worse(_ first: RecordOutcome?, _ second: RecordOutcome) -> RecordOutcome {
        switch (first, second) {
        case (.refused(let reason)?, _): .refused(reason: reason)
        case (.retry(let reason)?, .completed): .retry(reason: reason)
        default: second
        }
    }
}
