// What the stand-in of Kubernetes can do wrong.

/// A request by its verb, as faults tell them apart.
package enum KubernetesRequestKind: String, Sendable, CaseIterable {
    case create, get, list, watch, delete, other
}

/// One fault of one request.
package enum KubernetesFault: NamedFault, Hashable {
    /// How a watch ends before its time.
    package enum WatchEnd: String, Sendable {
        /// The answer is complete.
        case inOrder
        /// The connection is closed, and the end of the answer never comes.
        case hangUp
        case reset
        /// The connection is closed in the middle of the next event.
        case halfLine
        /// An event says 410: what the watch began from is forgotten.
        case gone
        /// An event says 500.
        case error
        /// A line that is no JSON.
        case nonsense
    }

    /// The connection breaks, and nothing was done.
    case before(ConnectionFault)
    /// What was asked for is done, and the connection breaks.
    case after(ConnectionFault)
    /// This status, and nothing was done; nil for the reason and words that the API has for it.
    case status(Int, reason: String? = nil, message: String? = nil, retryAfter: Int? = nil)
    /// This status and text of something between us and the API.
    case page(Int, String)
    /// A watch ends behind so many events.
    case watchEnds(WatchEnd, afterEvents: Int = 0)

    package var name: String {
        switch self {
        case .before(let fault): "\(fault.name) before"
        case .after(let fault): "\(fault.name) after"
        case .status(let status, _, _, _): "\(status)"
        case .page(let status, _): "page \(status)"
        case .watchEnds(let end, _): "watch ends: \(end.rawValue)"
        }
    }
}
