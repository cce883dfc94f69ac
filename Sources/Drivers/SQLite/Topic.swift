// What a task can wait for.

/// Something that may come to be found in the database.
enum Topic: Hashable, Sendable {
    /// A message of the queue with this number became ready.
    case queue(Int64)
    /// A followed table changed.
    case feed
}
