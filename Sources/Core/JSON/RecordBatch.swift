// Records on their way: written one after the other into one buffer that is used again.

/// Written records, a newline after each, with where each lies and where its id lies.
///
/// `bytes` is ready to be stored or sent as JSON Lines; a batch that is emptied keeps its memory.
public struct RecordBatch: Sendable {
    /// Where a record and its id lie in `bytes`; a record's newline is not part of it, an id's quotes are not part of it.
    public struct Entry: Sendable, Equatable {
        private var start: Int32
        private let count: Int32
        private var idStart: Int32
        private let idCount: Int32

        init(offset: Int, length: Int, idOffset: Int, idLength: Int) {
            start = Int32(offset)
            count = Int32(length)
            idStart = Int32(idOffset)
            idCount = Int32(idLength)
        }

        mutating func move(by distance: Int) {
            start += Int32(distance)
            idStart += Int32(distance)
        }

        public var offset: Int { Int(start) }
        public var length: Int { Int(count) }
        public var idOffset: Int { Int(idStart) }
        public var idLength: Int { Int(idCount) }

        public var range: Range<Int> { offset..<offset + length }
        /// The id as it is written, escapes included.
        public var idRange: Range<Int> { idOffset..<idOffset + idLength }
    }

    public private(set) var bytes: [UInt8] = []
    public private(set) var entries: [Entry] = []

    public init() {}

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    public mutating func reserve(records: Int, bytes count: Int) {
        entries.reserveCapacity(records)
        bytes.reserveCapacity(count)
    }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        entries.removeAll(keepingCapacity: keepingCapacity)
    }

    /// Takes back the record written last, such as one that turns out to need no delivery.
    public mutating func removeLast() {
        let last = entries.removeLast()
        bytes.removeSubrange(last.offset...)
    }

    /// Takes away the records written first, such as those that have been copied elsewhere.
    package mutating func removeFirst(_ count: Int) {
        guard count < entries.count else { return removeAll(keepingCapacity: true) }
        let start = entries[count].offset
        bytes.removeFirst(start)
        entries.removeFirst(count)
        for index in entries.indices { entries[index].move(by: -start) }
    }

    /// The record as written, without its newline.
    public func record(at index: Int) -> ArraySlice<UInt8> {
        bytes[entries[index].range]
    }

    /// Where the id's JSON token lies in `bytes`, a string's quotes included.
    public func idToken(at index: Int) -> Range<Int> {
        let range = entries[index].idRange
        // A string's text is always between quotes, and no quote can stand before a number.
        let isString = range.lowerBound > 0 && bytes[range.lowerBound - 1] == UInt8(ascii: "\"")
        return isString ? range.lowerBound - 1..<range.upperBound + 1 : range
    }

    /// The record's id, escapes resolved.
    public func id(at index: Int) -> String {
        let range = entries[index].idRange
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return "" }
            // Only bytes of the id are read, so nothing is asked of what lies behind it.
            let grammar = JSONGrammar(bytes: ByteWindow(base, count: buffer.count))
            let isEscaped = buffer[range].contains(Sign.backslash)
            return grammar.string(of: .init(start: range.lowerBound, end: range.upperBound, isEscaped: isEscaped))
        }
    }

    /// Lets `write` fill in at most `room` bytes behind the last record; what it answers is how many it wrote.
    mutating func write(room: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if bytes.capacity - bytes.count < room {
            // Doubling, so that a batch that grows by records moves each byte a bounded number of times.
            bytes.reserveCapacity(max(bytes.count + room, bytes.capacity * 2))
        }
        bytes.append(addingCapacity: room) { output in
            output.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                let written = write(base + count)
                precondition(written <= room, "a record is never longer than its source and a newline")
                count += written
            }
        }
    }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
    }

    /// Whether a record of up to `room` bytes and its newline still fits.
    package func fits(room: Int) -> Bool {
        bytes.count + room < JSONLimit.batchBytesMax
    }

    /// Appends the record that `write` fills in: at most `room` bytes, which must fit; the newline is added here.
    ///
    /// What `write` answers is the record's length, and where its id's text lies from the record's start.
    package mutating func append(
        room: Int,
        _ write: (UnsafeMutablePointer<UInt8>) -> (length: Int, id: Range<Int>)
    ) {
        precondition(fits(room: room), "ask fits(room:) first")
        let offset = bytes.count
        var written = (length: 0, id: 0..<0)
        self.write(room: room + 1) { output in
            written = write(output)
            precondition(written.length <= room, "a record is never longer than the room it asked for")
            output[written.length] = Sign.newline
            return written.length + 1
        }
        entries.append(
            Entry(
                offset: offset,
                length: written.length,
                idOffset: offset + written.id.lowerBound,
                idLength: written.id.count
            )
        )
    }
}
