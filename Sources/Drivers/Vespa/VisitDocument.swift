// A visit's answer as one JSON object, as older servers give it.
import SluiceCore

/// What a whole answer says beside its documents.
struct VisitDocument {
    private var documents: Range<Int>?
    private var announced: Int?
    private var continuation: Continuation?
    private var message: String?

    /// Finds the documents in the bytes of a page, and what follows them.
    static func read(_ request: PageRequest, into page: inout SourcePage) throws(SourceError) {
        var answer = VisitDocument()
        do throws(RecordError) {
            try answer.find(in: page.bytes)
            try answer.addRecords(PageLimits(request), to: &page)
        } catch {
            throw .transient("the answer is no JSON: \(error)")
        }
        try answer.judge(request, page)
        page.next = answer.continuation
        page.bytes.append(contentsOf: repeatElement(0, count: SourcePage.padding))
    }

    private mutating func find(in bytes: [UInt8]) throws(RecordError) {
        try bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
            try JSONMembers.ofObject(in: buffer, 0..<buffer.count) { name, value in
                switch name {
                case "documents": documents = value
                case "documentCount": announced = Self.value(buffer, value)?.intValue
                case "continuation": continuation = Self.value(buffer, value)?.stringValue.map { Continuation($0) }
                case "message": message = Self.value(buffer, value).map { $0.stringValue ?? "\($0)" }
                default: break
                }
            }
        }
    }

    private mutating func addRecords(_ limits: PageLimits, to page: inout SourcePage) throws(RecordError) {
        guard let documents else { return }
        var records = page.records
        try page.bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
            try JSONMembers.ofArray(in: buffer, documents) { element in
                records.append(limits.record(element, position: records.count))
            }
        }
        page.records = records
    }

    /// Without a continuation the visit has ended or has failed; only an answer with nothing wrong in it has ended.
    private func judge(_ request: PageRequest, _ page: SourcePage) throws(SourceError) {
        if let message, continuation == nil || continuation == request.continuation {
            throw .transient("the visit failed: \(message)")
        }
        guard documents != nil else { throw .transient("the answer has no documents, not even none") }
        if let announced, announced != page.records.count {
            throw .transient("the answer announces \(announced) documents and has \(page.records.count)")
        }
    }

    private static func value(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) -> JSONValue? {
        try? JSONValue.parse(Array(buffer[range]))
    }
}
