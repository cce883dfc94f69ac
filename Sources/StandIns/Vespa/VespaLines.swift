// An answer as JSON Lines, written while the visit goes.

/// Makes the pieces of one streamed answer.
struct VespaLines {
    private var visit: VespaVisit
    private let fault: VespaFault?
    private var isOver = false

    /// A piece is written once it is this large.
    private static let pieceBytes = 256 << 10

    init(_ visit: VespaVisit, fault: VespaFault?) {
        self.visit = visit
        self.fault = fault
    }

    var documents: Int { visit.documents }

    /// Puts the next piece into `bytes`; false if there is none.
    mutating func next(into bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        while !isOver, bytes.count < Self.pieceBytes { step(into: &bytes) }
        return !bytes.isEmpty
    }

    private mutating func step(into bytes: inout [UInt8]) {
        if strikes(into: &bytes) { return }
        guard !visit.isAtEnd else { return end(into: &bytes) }
        writeDocuments(into: &bytes)
        guard !visit.isAtEnd else { return end(into: &bytes) }
        writeContinuation(visit.token, into: &bytes)
        if isPageFull { end(into: &bytes, isLast: false) }
    }

    private var isPageFull: Bool {
        switch fault {
        case .shortPage: true
        case .longPage(let buckets): visit.buckets >= buckets
        default: visit.documents >= visit.wanted ?? .max
        }
    }

    private mutating func writeDocuments(into bytes: inout [UInt8]) {
        visit.visitBucket(into: &bytes) { _, id, bytes in
            bytes.append(#"{"put":"#)
            bytes.append(json: id)
            bytes.append(#","fields":"#)
        } closing: { bytes in
            bytes.append("}\n")
        }
        if case .remarks = fault {
            bytes.append("{\"remove\":\"id:\(visit.corpus.namespace):\(visit.corpus.schema)::gone\"}\n\n")
        }
    }

    private func writeContinuation(_ token: VespaToken?, into bytes: inout [UInt8]) {
        let percent = token == nil ? 100 : visit.percentFinished
        let name = token.map { "\"token\":\"\($0.text)\"," } ?? ""
        let line = "{\"continuation\":{\(name)\"percentFinished\":\(percent)}}\n"
        bytes.append(line)
        if case .repeatedToken = fault { bytes.append(line) }
    }

    private mutating func end(into bytes: inout [UInt8], isLast: Bool = true) {
        if isLast { writeContinuation(nil, into: &bytes) }
        if case .remarks = fault { bytes.append("{\"sessionStats\":{\"documentCount\":\(visit.documents)}}\n") }
        isOver = true
    }

    /// Writes what the fault wants at this place; true if it took the place of a bucket.
    private mutating func strikes(into bytes: inout [UInt8]) -> Bool {
        switch fault {
        case .message(visit.buckets):
            writeMessage(into: &bytes)
            writeContinuation(visit.token, into: &bytes)
        case .messageAlone: writeMessage(into: &bytes)
        case .emptyPage where visit.buckets == 0 && !visit.isAtEnd:
            writeContinuation(VespaToken(bucket: visit.cursor, step: (visit.query.token?.step ?? 0) + 1), into: &bytes)
        case .sameToken where visit.query.token != nil && !visit.isAtEnd:
            let asked = visit.query.token
            writeDocuments(into: &bytes)
            writeContinuation(asked, into: &bytes)
        case .unfinished(visit.buckets) where !visit.isAtEnd:
            bytes.append("{\"continuation\":{\"percentFinished\":\(visit.percentFinished)}}\n")
        case .noLastContinuation(visit.buckets) where !visit.isAtEnd: writeDocuments(into: &bytes)
        case .halfLine(visit.buckets) where !visit.isAtEnd:
            writeDocuments(into: &bytes)
            bytes.append("{\"put\":\"id:\(visit.corpus.namespace):\(visit.corpus.schema)::ha")
        case .badLine(visit.buckets) where !visit.isAtEnd:
            bytes.append("{\"put\":\"id:a:b::c\",\"fields\":{\"title\":\"wh\n")
            writeDocuments(into: &bytes)
            writeContinuation(visit.token, into: &bytes)
        default: return false
        }
        isOver = true
        return true
    }

    private func writeMessage(into bytes: inout [UInt8]) {
        bytes.append("{\"message\":{\"text\":\"\(VespaJSON.message)\",\"severity\":\"error\"}}\n")
    }
}
