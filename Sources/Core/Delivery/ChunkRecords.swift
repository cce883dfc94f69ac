// The content of a chunk as it is kept and sent: a line of ids, then a line for each record.

/// A chunk's records in one buffer, by position.
///
/// The form: one line `{"ids":[…],"refused":{"3":"why"}}`, each id as it is spelt in its record, then one line for each
/// record. A refused record's line holds its raw bytes, as much as there is of them; its id is `null` if none was found.
public struct ChunkRecords: Sendable {
    private let bytes: [UInt8]
    private let lines: [Range<Int>]
    private let ids: Identities
    /// Why the record at a position was refused before it was ever sent.
    public let refusals: [Int: String]

    public var count: Int { lines.count }

    /// The record's id, or nil if it was refused before one was found.
    public func id(at position: Int) -> String? {
        switch ids {
        case .texts(let texts): texts[position]
        // What stands there was accepted as an id before.
        case .tokens(let tokens): (try? JSONValue.parse(bytes[tokens[position]]))?.idText
        }
    }

    /// The record's bytes, without the newline.
    public func record(at position: Int) -> ArraySlice<UInt8> {
        bytes[lines[position]]
    }

    /// Gives the record's bytes without copying them.
    public func withRecord<Result>(
        at position: Int,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[lines[position]])) }
    }

    /// Gives the bytes of all records, one line each, if the whole chunk is wanted as it lies.
    public func withAllLines<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let all = lines.isEmpty ? 0..<0 : lines[0].lowerBound..<lines[lines.count - 1].upperBound + 1
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[all])) }
    }

    /// Records that lie in a page as it was cut, each with a newline behind it; nothing is copied or looked for.
    package init(in page: [UInt8], lines: [Range<Int>], idTokens: [Range<Int>]) {
        precondition(lines.count == idTokens.count, "every record has an id")
        bytes = page
        self.lines = lines
        ids = .tokens(idTokens)
        refusals = [:]
    }

    /// Reads the form that `ChunkWriter` writes.
    ///
    /// - Throws: `PortError.invalidRequest` if the bytes are not of the form or hold another number of records.
    public init(bytes: [UInt8], count: Int) throws(PortError) {
        guard let headerEnd = bytes.withUnsafeBytes({ Newlines.first(in: $0) }) else {
            throw PortError(.invalidRequest, "a chunk's content has no header line")
        }
        let header: JSONValue
        do {
            header = try JSONValue.parse(bytes[..<headerEnd])
        } catch {
            throw PortError(.invalidRequest, "a chunk's header line is not JSON", cause: error)
        }
        guard case .array(let ids)? = header["ids"], ids.count == count else {
            throw PortError(.invalidRequest, "a chunk's header does not name its \(count) records")
        }
        let lines = Self.lines(of: bytes, from: headerEnd + 1, count: count)
        guard lines.count == count, (lines.last?.upperBound ?? headerEnd) + 1 == bytes.count else {
            throw PortError(.invalidRequest, "a chunk's content holds \(lines.count) records and should hold \(count)")
        }
        var refusals: [Int: String] = [:]
        for member in header["refused"]?.objectValue?.members ?? [] {
            if let position = Int(member.name), let reason = member.value.stringValue { refusals[position] = reason }
        }
        self.bytes = bytes
        self.lines = lines
        self.ids = .texts(ids.map(\.idText))
        self.refusals = refusals
    }
}

extension ChunkRecords {
    private enum Identities {
        case texts([String?])
        /// Where each id's JSON token stands.
        case tokens([Range<Int>])
    }

    private static func lines(of bytes: [UInt8], from start: Int, count: Int) -> [Range<Int>] {
        bytes.withUnsafeBytes { bytes in
            var lines: [Range<Int>] = []
            lines.reserveCapacity(count)
            var start = start
            while let end = Newlines.first(in: bytes, from: start) {
                lines.append(start..<end)
                start = end + 1
            }
            return lines
        }
    }
}

extension JSONValue {
    /// The text of an id: a string as it is, a whole number as it is spelt.
    fileprivate var idText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.text
        default: nil
        }
    }
}
