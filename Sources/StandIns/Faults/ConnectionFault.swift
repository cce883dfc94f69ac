// Faults below HTTP: connections that break, stall, or say what is no HTTP.

/// What happens to the connection of a request instead of, or during, its answer.
package enum ConnectionFault: NamedFault, Hashable {
    /// Reset before a byte of the answer.
    case reset
    /// Closed in order, but without an answer.
    case hangUp
    /// After the head and at most this many bytes of the body the connection is closed; the end of the body never comes.
    case cut(afterBytes: Int)
    /// The same, with a reset.
    case resetAfter(bytes: Int)
    /// The answer comes this much later; nil for never: the connection stays open until the other side gives up.
    case stall(Duration?)
    /// These bytes instead of an answer, then the connection is closed.
    case raw([UInt8])

    package var name: String {
        switch self {
        case .reset: "reset"
        case .hangUp: "hang up"
        case .cut: "cut"
        case .resetAfter: "reset midway"
        case .stall: "stall"
        case .raw: "raw bytes"
        }
    }
}
