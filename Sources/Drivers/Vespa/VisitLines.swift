// A visit's answer as JSON Lines, read as it arrives.
import SluiceCore

/// Takes the lines of one answer into a page, and knows how far they count.
///
/// Documents count up to the last continuation that leads on from the one asked for, or that says the visit has ended. What
/// stands behind it came from buckets that were not done; they are visited again.
struct VisitLines {
    /// How far the page counts.
    private struct Mark {
        var records: Int
        /// Nil at the visit's end.
        var next: Continuation?
        var percentFinished: Double?
    }

    private let asked: Continuation?
    private let limits: PageLimits
    private var mark: Mark?
    /// A continuation that leads nowhere but where the request began.
    private var standstill: Mark?
    private var message: String?
    private var problem: SourceError?
    /// How much of the visit the server says is done with the page, 0 to 100; known once that is finished.
    private(set) var percentFinished: Double?

    private var lineNumber = 1
    /// Where the line at hand begins in the page; no newline lies between it and `scanned`.
    private var lineStart = 0
    private var scanned = 0
    /// The length so far of a line over the limit, of which only the beginning is kept.
    private var longLine: Int?
    private var isEnough = false

    init(_ request: PageRequest) {
        asked = request.continuation
        limits = PageLimits(request)
    }

    /// Takes the next bytes; says whether more are wanted.
    mutating func take(_ bytes: UnsafeRawBufferPointer, into page: inout SourcePage) -> Bool {
        guard let rest = passOver(bytes, into: &page) else { return true }
        page.bytes.append(contentsOf: rest)
        takeLines(of: &page)
        guard !isEnough else { return false }
        let open = page.bytes.count - lineStart
        if open > limits.recordBytesMax {
            page.bytes.removeLast(open - min(open, PageLimits.refusedBytesKept))
            longLine = open
        }
        if page.bytes.count > limits.bodyBytesMax {
            if mark == nil {
                problem = .stopped(
                    "the answer has \(page.bytes.count) bytes and no continuation; a bucket is too large"
                )
            }
            return false
        }
        return true
    }

    /// Decides what of the page counts.
    ///
    /// - Parameters:
    ///   - page: What was taken; empty if nothing counts.
    ///   - failure: Why the answer did not come to its end, if it did not.
    /// - Throws: Why nothing counts.
    mutating func finish(_ page: inout SourcePage, failure: SourceError?) throws(SourceError) {
        if failure == nil, problem == nil, !isEnough, longLine == nil, page.bytes.count > lineStart {
            page.bytes.append(UInt8(ascii: "\n"))
            takeLines(of: &page)
        }
        guard let mark = mark ?? (failure == nil && problem == nil && message == nil ? standstill : nil) else {
            page.reset()
            let cut = SourceError.transient("the answer was cut: it has no last continuation")
            throw problem ?? failure ?? complaint ?? cut
        }
        page.records.removeSubrange(mark.records...)
        page.next = mark.next
        page.pad()
        percentFinished = mark.percentFinished
    }

    /// What is wrong with the answer so far, if anything.
    var complaint: SourceError? {
        problem ?? message.map { .transient("the visit failed: \($0)") }
    }

    /// Passes over the rest of a line over the limit; gives what follows it, or nil if it goes on.
    private mutating func passOver(
        _ bytes: UnsafeRawBufferPointer,
        into page: inout SourcePage
    ) -> UnsafeRawBufferPointer? {
        guard let length = longLine else { return bytes }
        guard let end = Newlines.first(in: bytes) else {
            longLine = length + bytes.count
            return nil
        }
        longLine = nil
        let kept = lineStart..<page.bytes.count
        // Only documents are so long; anything else that is ends the page as a bad line.
        if page.bytes[kept].starts(with: Self.putStart) {
            take(document: kept, count: length + end, records: &page.records)
        } else {
            refuse(longLine: length + end)
        }
        lineNumber += 1
        lineStart = page.bytes.count
        scanned = lineStart
        return UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
    }

    private mutating func takeLines(of page: inout SourcePage) {
        // Not a copy: nothing is written to the buffer while lines are taken.
        let bytes = page.bytes
        bytes.withUnsafeBytes { buffer in
            while !isEnough, let end = Newlines.first(in: buffer, from: scanned) {
                take(line: lineStart..<end, in: buffer, records: &page.records)
                lineStart = end + 1
                scanned = lineStart
                lineNumber += 1
            }
            scanned = buffer.count
        }
    }

    private static let putStart = Array(#"{"put":"#.utf8)

    private mutating func take(
        line: Range<Int>,
        in buffer: UnsafeRawBufferPointer,
        records: inout [SourcePage.RawRecord]
    ) {
        var end = line.upperBound
        if end > line.lowerBound, buffer[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        let line = line.lowerBound..<end
        guard !line.isEmpty else { return }
        // Nearly every line is a document as Vespa writes it. What is wrong inside it, the transform finds out.
        if line.count > Self.putStart.count, buffer[end - 1] == UInt8(ascii: "}"),
            UnsafeRawBufferPointer(rebasing: buffer[line]).starts(with: Self.putStart)
        {
            return take(document: line, records: &records)
        }
        guard line.count <= limits.recordBytesMax else { return refuse(longLine: line.count) }
        do throws(RecordError) {
            let value = try JSONValue.parse(Array(buffer[line]))
            guard let object = value.objectValue else {
                return fail(.transient("line \(lineNumber) of the answer is no object"))
            }
            take(object, at: line, records: &records)
        } catch {
            fail(.transient("line \(lineNumber) of the answer is no JSON: \(error)"))
        }
    }

    /// - Parameters:
    ///   - document: Where its bytes are.
    ///   - count: Its length, where those are only its first.
    ///   - records: The page's.
    private mutating func take(
        document: Range<Int>,
        count: Int? = nil,
        records: inout [SourcePage.RawRecord]
    ) {
        if let mark {
            guard mark.next != nil else {
                self.mark = nil
                return fail(.transient("line \(lineNumber) of the answer is a document after the visit's end"))
            }
            if mark.records == records.count, document.lowerBound >= limits.bytesWanted {
                isEnough = true
                return
            }
        }
        records.append(limits.record(document, count: count, position: records.count))
    }

    private mutating func take(_ object: JSONObject, at line: Range<Int>, records: inout [SourcePage.RawRecord]) {
        if object["put"] != nil {
            take(document: line, records: &records)
        } else if let continuation = object["continuation"] {
            take(continuation: continuation, records: records.count)
        } else if let said = object["message"] {
            message = said["text"]?.stringValue ?? said.stringValue ?? "\(said)"
        } else if object["remove"] == nil, object["sessionStats"] == nil {
            let names = object.members.map(\.name).joined(separator: ", ")
            fail(.stopped("line \(lineNumber) of the answer is of a kind that is not known here: \(names)"))
        }
    }

    private mutating func take(continuation: JSONValue, records: Int) {
        let percent = continuation["percentFinished"]?.doubleValue
        if let token = continuation["token"]?.stringValue, !token.isEmpty {
            let next = Continuation(token)
            if next == asked {
                standstill = Mark(records: records, next: next, percentFinished: percent)
            } else {
                mark = Mark(records: records, next: next, percentFinished: percent)
            }
        } else if let percent, percent >= 100 {
            mark = Mark(records: records, percentFinished: percent)
        } else {
            let share = percent.map { "\($0) %" } ?? "an unknown share"
            fail(.transient("the visit ended after \(share) of the buckets, without a continuation"))
        }
    }

    private mutating func refuse(longLine count: Int) {
        fail(.transient("line \(lineNumber) of the answer has \(count) bytes and is no document"))
    }

    private mutating func fail(_ problem: SourceError) {
        self.problem = problem
        isEnough = true
    }
}
