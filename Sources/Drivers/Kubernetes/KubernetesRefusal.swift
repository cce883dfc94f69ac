// What the API says when it does not do what it was asked to, and what that means at a port.
import SluiceCore

/// A `Status` of the API, or the little that is known of an answer which holds none.
package struct KubernetesRefusal: Error, Sendable, Equatable {
    /// The HTTP status, or the `code` of a status that came in a watch.
    package let status: Int
    /// A word for programs, such as `AlreadyExists`; nil if it was no answer of the API itself.
    package let reason: String?
    /// How long it asks us to wait.
    package let retryAfter: Duration?
    let message: String

    private static let messageMax = 600

    init(status: Int, body: JSONValue?, retryAfter: Duration? = nil) {
        let isStatus = body?["kind"]?.stringValue == "Status"
        self.status = status
        reason = isStatus ? body?["reason"]?.stringValue : nil
        let seconds = isStatus ? body?["details"]?["retryAfterSeconds"]?.intValue : nil
        self.retryAfter = retryAfter ?? seconds.map { .seconds(min(max(0, $0), 600)) }
        let said = isStatus ? body?["message"]?.stringValue : nil
        let line = (said ?? "").map { $0.isNewline ? " " : $0 }
        message = line.count > Self.messageMax ? String(line.prefix(Self.messageMax)) + "…" : String(line)
    }

    /// A Job of that name is there.
    var isAlreadyThere: Bool { status == 409 && reason == "AlreadyExists" }

    /// The API itself says that there is no such object, and not something in between that knows no such path.
    var isAbsence: Bool { status == 404 && reason == "NotFound" }

    /// What a watch or the next page of a list wants to go on from has been forgotten.
    var isGone: Bool { status == 410 }

    /// A limit of the namespace, which other Jobs' ends make room under.
    private var isQuota: Bool { status == 403 && message.contains("exceeded quota") }

    private var code: PortError.Code {
        switch status {
        case 401: .unauthorized
        case 403: isQuota ? .throttled : .unauthorized
        case 404: reason == nil ? .invalidRequest : .notFound
        case 409: .conflict
        case 408, 410, 500...: .unavailable
        case 429: .throttled
        default: .invalidRequest
        }
    }

    func portError(_ call: KubernetesCall) -> PortError {
        var text = "Kubernetes did not \(call.words): "
        text += message.isEmpty ? "it answered \(status) without a reason" : message
        switch status {
        case 401:
            text +=
                "; it does not know our token, not even a new one: on EKS the role needs an access entry of the cluster"
        case 403 where !isQuota:
            text += "; our role needs the verb \"\(call.verb.rawValue)\" on \"jobs\" of the API group \"batch\""
            text += " in namespace \"\(call.namespace)\""
        case 404 where reason == nil:
            text += "; the endpoint may be no Kubernetes API"
        default: break
        }
        return PortError(code, text, cause: self)
    }
}

extension KubernetesRefusal: CustomStringConvertible {
    package var description: String {
        var text = "status \(status)"
        if let reason { text += ", \(reason)" }
        if let retryAfter { text += ", come again in \(retryAfter.milliseconds / 1000) s" }
        return text
    }
}
