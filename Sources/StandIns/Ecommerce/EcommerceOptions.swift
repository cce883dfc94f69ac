// How the stand-in of the Ecommerce API behaves where the real one's documentation leaves it open.

/// Everything about the stand-in that may be changed, also while it runs.
package struct EcommerceOptions: Sendable {
    package enum Holding: String, Sendable {
        /// Every document's bytes.
        case documents
        /// A 64-bit digest for each id, for millions of documents; updates mix theirs in.
        case digests
        /// Only how many were taken; nothing can be read back, and every id counts as known.
        case counts
    }

    package enum Vocabulary: String, Sendable, CaseIterable {
        /// `PENDING` and `IN_PROGRESS`.
        case newer
        /// `QUEUED` and `RUNNING`.
        case older
    }

    /// What `failedItems` of a job is.
    package enum FailedItemsForm: String, Sendable, CaseIterable {
        case objects, ids, number
    }

    /// What becomes of a document without a non-empty string `_id`.
    package enum BadID: Sendable {
        case failedItem, badRequest
    }

    package enum RetryAfter: Sendable, Hashable {
        case none
        case seconds(Int)
        /// As a date, this far from now.
        case date(Duration)
    }

    /// Beyond it a request is answered 429.
    package struct Capacity: Sendable {
        package var requestsAtOnce: Int?
        package var requestsPerSecond: Int?
        package var retryAfter = RetryAfter.seconds(1)

        package init(requestsAtOnce: Int? = nil, requestsPerSecond: Int? = nil, retryAfter: RetryAfter = .seconds(1)) {
            self.requestsAtOnce = requestsAtOnce
            self.requestsPerSecond = requestsPerSecond
            self.retryAfter = retryAfter
        }
    }

    /// The indexes there are; nil: each is made when it is first named.
    package var indexes: Set<String>?
    /// Asked for as `Authorization: Bearer` or `X-API-Key`, if it is set.
    package var key: String?
    package var holding = Holding.documents
    package var documentsMax = 100
    /// Answered to a request of more documents: 400 or 413.
    package var tooManyStatus = 400
    package var bodyBytesMax = 16 << 20
    package var badID = BadID.failedItem
    /// 200 or 202.
    package var acceptedStatus = 202
    /// `job_id`, `jobId` or `id`.
    package var jobIDField = "job_id"
    package var vocabulary = Vocabulary.newer
    package var failedItems = FailedItemsForm.objects
    /// Answers writes with each document's result and no job.
    package var answersAtOnce = false
    /// From accepting documents to having processed them.
    package var processing: Duration = .zero
    /// So many questions about a job are answered as unfinished although it is done.
    package var pollsBeforeEnd = 0
    /// How long each request takes at least.
    package var latency: Duration = .zero
    package var capacity = Capacity()
    /// Whether what is held can be listed under `/stand-in`; the real API can't.
    package var listsDocuments = true

    package init() {}
}
