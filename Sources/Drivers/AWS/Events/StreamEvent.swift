// A batch of a table's changes, as Lambda hands it to a function.
package import SluiceCore

/// The changes of one event, with what names each in the answer.
package struct StreamEvent: Sendable {
    package struct Record: Sendable {
        package let number: String
        package let change: TableChange
    }

    package private(set) var records: [Record] = []
    /// What could not be read, and why; it would be no better a second time.
    package private(set) var unreadable: [String] = []

    /// Reads an event.
    ///
    /// - Parameters:
    ///   - bytes: JSON.
    ///   - schema: whose changes they are.
    /// - Throws: `AWSEventError` if it is no batch of a stream.
    package init(_ bytes: [UInt8], of schema: TableSchema) throws(AWSEventError) {
        for element in try Self.elements(of: bytes) {
            var record = DynamoDBStreams.Record()
            do {
                try AWSJSONReader.walk(element) { reader, name, place in
                    guard name == "dynamodb" else { return reader.skip(place) }
                    return reader.members(of: place) { record.read(&$0, $1, at: $2) }
                }
            } catch {
                unreadable.append(error.description)
                continue
            }
            guard let key = schema.key(of: record.key), !record.number.isEmpty else {
                unreadable.append("a record lacks the keys of \(schema.name), or its SequenceNumber")
                continue
            }
            let change = TableChange(key: key, old: record.old, new: record.new)
            records.append(Record(number: record.number, change: change))
        }
    }

    package var changes: [TableChange] { records.map(\.change) }

    /// The answer after which Lambda goes on behind the batch, or begins again at the first of the places.
    package func answer(again places: [Int]) -> [UInt8] {
        BatchAnswer.bytes(failed: places.map { records[$0].number })
    }

    /// Each record by itself, so that one that makes no sense leaves the others alone.
    private static func elements(of bytes: [UInt8]) throws(AWSEventError) -> [[UInt8]] {
        var list: Range<Int>?
        var elements: [[UInt8]] = []
        do {
            try bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
                try JSONMembers.ofObject(in: buffer, 0..<buffer.count) { name, value in
                    if name == "Records" { list = value }
                }
                guard let list else { return }
                try JSONMembers.ofArray(in: buffer, list) { elements.append(Array(buffer[$0])) }
            }
        } catch {
            throw AWSEventError("the event is no JSON of a stream: \(error)")
        }
        guard list != nil else { throw AWSEventError("the event has no Records") }
        return elements
    }
}
