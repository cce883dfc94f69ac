// The states of a job and every legal move between them, each with its reason.

/// Where a job stands.
///
/// `pending`, `in_progress`, `paused` and `failed` are the source system's own values.
public enum JobStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Created or resumed; nobody works on it yet.
    case pending
    case inProgress = "in_progress"
    /// Asked to pause; extractors stop at their next checkpoint.
    case pausing
    case paused
    /// Asked to end early; slices are being closed.
    case cancelling
    case cancelled
    /// Given up: it can't go on as it is, and the reason says why.
    case failed
    case completed
    /// Every record has ended, some as dead letters.
    case completedWithFailures = "completed_with_failures"

    /// Nothing is extracted any more.
    ///
    /// Only a redrive can still move it, from `completed_with_failures` to `completed`.
    public var isFinal: Bool {
        switch self {
        case .cancelled, .failed, .completed, .completedWithFailures: true
        case .pending, .inProgress, .pausing, .paused, .cancelling: false
        }
    }

    /// The states that may follow this one.
    public var successors: Set<JobStatus> {
        switch self {
        // A launch takes it on; before that an operator may stop it, and a source that can't be opened ends it.
        case .pending: [.inProgress, .pausing, .paused, .cancelling, .failed]
        // Extraction and delivery are under way; every end is possible, and every stop that an operator may ask for.
        case .inProgress: [.pausing, .paused, .cancelling, .failed, .completed, .completedWithFailures]
        // Stopping takes until the next checkpoint. An operator may change their mind before: a new launch then takes on what
        // the old one lets go.
        case .pausing: [.paused, .pending, .cancelling, .failed]
        // Resume makes it pending, which is what the trigger looks for.
        case .paused: [.pending, .cancelling, .failed]
        // Every slice is being closed; nothing turns that back.
        case .cancelling: [.cancelled]
        // A redrive delivered the last of its dead letters.
        case .completedWithFailures: [.completed]
        case .cancelled, .failed, .completed: []
        }
    }

    /// - Throws: `JobError.move` naming both states if the move is not in the table.
    public func checkMove(to next: JobStatus) throws(JobError) {
        guard successors.contains(next) else { throw .move(from: self, to: next) }
    }
}

extension JobStatus: AttributeConvertible, CustomStringConvertible {
    public var attributeValue: AttributeValue { .string(rawValue) }
    public var description: String { rawValue }
}
