// Job records and what may become of them: created, found, moved, steered, and matched with their checkpoints.
public import SluiceCore

/// What a slice's checkpoints were written for.
public enum SliceMatch {
    public static func text(job: Job, source: SourceDescription, transform: any RecordTransform) -> String {
        "slices=\(job.concurrency) source=\(source.fingerprint) selection=\(transform.fingerprint)"
    }
}
