// An answer as one JSON object, whole.
import SluiceCore

/// Makes the body of one answer that is not JSON Lines.
enum VespaJSON {
    static let message = "Visitor aborted: a content node went away"

    /// The body, and how many documents stand in it.
    static func body(_ start: VespaVisit, path: String, fault: VespaFault?) -> (bytes: [UInt8], documents: Int) {
        var visit = start
        var bytes: [UInt8] = []
        bytes.append(#"{"pathId":"#)
        bytes.append(json: path)
        bytes.append(#","documents":["#)
        while !isOver(visit, fault) {
            visit.visitBucket(into: &bytes) { isFirst, id, bytes in
                bytes.append(isFirst ? #"{"id":"# : #",{"id":"#)
                bytes.append(json: id)
                bytes.append(#","fields":"#)
            } closing: { bytes in
                bytes.append("}")
            }
        }
        let end = bytes.count
        bytes.append(#"],"documentCount":\#(visit.documents)"#)
        if let token = token(after: visit, fault) { bytes.append(#","continuation":"\#(token.text)""#) }
        if isFailed(visit, fault) { bytes.append(#","message":"\#(message)""#) }
        bytes.append("}")
        spoil(&bytes, documentsEnd: end, fault)
        return (bytes, visit.documents)
    }

    private static func isOver(_ visit: VespaVisit, _ fault: VespaFault?) -> Bool {
        guard !visit.isAtEnd else { return true }
        switch fault {
        case .messageAlone, .emptyPage, .unfinished: return true
        case .message(let buckets): if visit.buckets >= buckets { return true }
        case .shortPage where visit.buckets > 0: return true
        case .longPage(let buckets): return visit.buckets >= buckets
        default: break
        }
        return visit.documents >= visit.wanted ?? .max
    }

    private static func token(after visit: VespaVisit, _ fault: VespaFault?) -> VespaToken? {
        guard !visit.isAtEnd else { return nil }
        return switch fault {
        // This form can't say that it is unfinished but by its message.
        case .messageAlone, .unfinished: nil
        case .emptyPage: VespaToken(bucket: visit.cursor, step: (visit.query.token?.step ?? 0) + 1)
        case .sameToken: visit.query.token ?? visit.token
        default: visit.token
        }
    }

    private static func isFailed(_ visit: VespaVisit, _ fault: VespaFault?) -> Bool {
        switch fault {
        case .messageAlone: true
        case .message, .unfinished: !visit.isAtEnd
        default: false
        }
    }

    private static func spoil(_ bytes: inout [UInt8], documentsEnd: Int, _ fault: VespaFault?) {
        switch fault {
        case .halfLine: bytes.removeLast(bytes.count - documentsEnd / 2)
        case .noLastContinuation: bytes.removeLast(bytes.count - documentsEnd)
        case .badLine: bytes.insert(0, at: documentsEnd / 2)
        default: break
        }
    }
}
