// Records on their way in: a source brings them page by page, and a transform makes of each what is moved.

/// The source's opaque token for the next page of a slice.
public struct Continuation: Sendable, Hashable {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }
}
