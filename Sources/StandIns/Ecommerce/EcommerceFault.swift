// What the stand-in of the Ecommerce API can do wrong.

/// A request by what it asks for, as faults and statistics tell them apart.
package enum EcommerceRequestKind: String, Sendable, CaseIterable {
    /// `POST …/documents`
    case write
    /// `PATCH …/documents`
    case update
    /// `POST …/get-documents`
    case read
    /// `GET …/jobs/{job}`
    case job
    case other
}

/// One fault of one request.
package enum EcommerceFault: NamedFault, Hashable {
    /// The connection breaks, and nothing was done.
    case before(ConnectionFault)
    /// What was asked for is done, and the connection breaks.
    case after(ConnectionFault)
    /// This answer, and nothing was done.
    case status(Int, message: String = "by plan", retryAfter: EcommerceOptions.RetryAfter = .none)
    /// What was asked for is done, and answered with 200 and this text.
    case unreadable(String)
    /// Writes: the documents are accepted, and their job ends badly.
    case job(EcommerceJobFault)
    /// Questions about a job: this status, whatever is true.
    case says(String)

    package var name: String {
        switch self {
        case .before(let fault): "\(fault.name) before"
        case .after(let fault): "\(fault.name) after"
        case .status(let status, _, _): "\(status)"
        case .unreadable: "unreadable"
        case .job(let fault): fault.name
        case .says(let status): "says \(status)"
        }
    }
}

extension EcommerceFault {
    /// What a busy service does now and then, by weight; a client that delivers again loses nothing by any of it.
    package static var usual: [(weight: Int, fault: EcommerceFault)] {
        [
            (4, .status(429, retryAfter: .seconds(1))), (2, .status(429)), (2, .status(500)), (1, .status(502)),
            (2, .status(503)), (1, .status(503, retryAfter: .seconds(1))), (2, .before(.reset)), (2, .after(.reset)),
            (1, .after(.hangUp)), (1, .after(.cut(afterBytes: 5))), (1, .unreadable("<html>")),
        ]
    }
}

/// How the job of an accepted request ends badly.
package enum EcommerceJobFault: Sendable, Hashable {
    /// `FAILED`, and no document was stored.
    case fails
    /// Nobody knows the job afterwards; its documents were stored, or not.
    case vanishes(stored: Bool)
    /// `COMPLETED`, but no document was stored.
    case forgets
    /// `COMPLETED` with every document in `failedItems`.
    case failsEveryItem
    /// `COMPLETED` with the first and then every n-th document in `failedItems`, with this status if there is one.
    case failsItems(every: Int, status: Int?)
    /// No job: the answer holds each document's result.
    case answersAtOnce

    var name: String {
        switch self {
        case .fails: "job fails"
        case .vanishes: "job vanishes"
        case .forgets: "documents forgotten"
        case .failsEveryItem: "every item fails"
        case .failsItems: "items fail"
        case .answersAtOnce: "answers at once"
        }
    }

    /// Whether the job's documents never reach the index.
    var loses: Bool {
        switch self {
        case .fails, .forgets, .failsEveryItem, .vanishes(stored: false): true
        case .vanishes(stored: true), .failsItems, .answersAtOnce: false
        }
    }
}
