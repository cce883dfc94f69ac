// Marqo documents: out of the form that they have in Vespa, back into the one that a client once sent.

/// What is fixed about Marqo documents.
enum Marqo {
    static let idField = "_id"
    /// Every field that Marqo keeps for itself begins with this, and no field of a user does.
    static let systemPrefix = "marqo__"
}
