// Records on their way out: which chunk they are of, what a sink is asked, and how each of them can end.

/// How one record ended at the sink.
public enum RecordOutcome: Sendable, Equatable {
    case completed
    /// For good.
    case refused(reason: String)
    case retry(reason: String)
}
