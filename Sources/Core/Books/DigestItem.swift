// What the records of a page looked like when they were sent, as far as a digest tells.

/// The digests of a page's records, in their order; refused ones have none.
///
/// Stored with the page's commit and never changed, until the job's ledger is purged.
public struct DigestItem: TableItem, Hashable {
    /// One record's id and bytes, both as digests.
    public struct Entry: Sendable, Hashable {
        public var id: RecordDigest
        public var record: RecordDigest

        public init(id: RecordDigest, record: RecordDigest) {
            self.id = id
            self.record = record
        }
    }

    public var job: JobID
    public var slice: Int
    public var page: Int
    /// Sixteen bytes for each record: its id's digest and its own, both with the lowest byte first.
    public var digests: [UInt8]

    public init(job: JobID, slice: Int, page: Int, entries: [Entry]) {
        self.job = job
        self.slice = slice
        self.page = page
        digests = []
        digests.reserveCapacity(entries.count * Self.bytesPerEntry)
        for entry in entries {
            for value in [entry.id.value, entry.record.value] {
                withUnsafeBytes(of: value.littleEndian) { digests.append(contentsOf: $0) }
            }
        }
    }

    public var entries: [Entry] {
        digests.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - bytes.count % Self.bytesPerEntry, by: Self.bytesPerEntry).map { place in
                let id = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let record = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
                return Entry(id: RecordDigest(value: id), record: RecordDigest(value: record))
            }
        }
    }

    private static let bytesPerEntry = 16
    public static let prefix = "digest#"

    public var key: ItemKey { ItemKey(job.text, "\(Self.prefix)\(pad(slice, 3))#\(pad(page, 9))") }
    public static let schema = ledgerSchema

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case slice, page, digests
    }
}

extension RecordBatch {
    /// The digests of all records; an id's is that of its text, however it is spelt.
    public var digests: [DigestItem.Entry] { digests(of: entries.indices) }

    /// The same of some records.
    package func digests(of indices: Range<Int>) -> [DigestItem.Entry] {
        bytes.withUnsafeBytes { bytes in
            indices.map { index in
                let range = entries[index].idRange
                let id = UnsafeRawBufferPointer(rebasing: bytes[range])
                let isEscaped = id.contains(UInt8(ascii: "\\"))
                return DigestItem.Entry(
                    id: isEscaped ? RecordDigest(self.id(at: index)) : RecordDigest(id),
                    record: RecordDigest(UnsafeRawBufferPointer(rebasing: bytes[entries[index].range]))
                )
            }
        }
    }
}
