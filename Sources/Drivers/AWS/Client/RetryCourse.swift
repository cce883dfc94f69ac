// How far one call has come with its tries.

/// What one call's tries have been so far.
struct RetryCourse {
    let triesMax: Int
    private(set) var tries = 0
    /// What the last retry cost.
    var cost: Int?
    /// Expired credentials and a wrong clock are mended once each, beside the policy: nothing was done by such a try.
    var didRenew = false
    var didCorrectClock = false
    private var isOutcomeUnknown = false

    init(triesMax: Int) {
        self.triesMax = triesMax
    }

    var mayTryAgain: Bool { tries - (didRenew ? 1 : 0) - (didCorrectClock ? 1 : 0) < triesMax }

    mutating func begin() {
        tries += 1
    }

    /// The error with what is known of the tries before, and what it leaves for those behind it.
    mutating func noting(_ error: AWSError) -> AWSError {
        var error = error
        error.tries = max(1, tries)
        error.earlierOutcomeUnknown = isOutcomeUnknown
        isOutcomeUnknown = isOutcomeUnknown || error.lastOutcomeUnknown
        return error
    }

    /// The caller was cancelled between two tries.
    mutating func cancelled(_ call: AWSCall, _ service: AWSService) -> AWSError {
        noting(
            AWSError(
                .cancelled,
                service: service.name,
                operation: call.operation,
                message: "cancelled between two tries"
            )
        )
    }
}
