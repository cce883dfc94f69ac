// What one index of the stand-in holds.
import SluiceCore

/// Documents by id, or less of them, as the options have it.
struct EcommerceIndex {
    enum Held {
        case document([UInt8])
        case digest(UInt64)
    }

    /// An item of a job that failed.
    struct Failure {
        /// Nil if the document had none.
        var id: [UInt8]?
        var status: Int
        var error: String
    }

    private(set) var held: [[UInt8]: Held] = [:]
    /// Documents stored or changed, each time anew.
    private(set) var takenCount = 0
    private var order: [[UInt8]]?

    /// Applies what a request brought; of several documents with one id the last counts.
    mutating func apply(
        _ changes: [EcommerceChange],
        isUpdate: Bool,
        holding: EcommerceOptions.Holding,
        except failing: (Int) -> Int?
    ) -> [Failure] {
        var last: [[UInt8]: Int] = [:]
        for (number, change) in changes.enumerated() {
            if let id = change.id { last[id] = number }
        }
        var failures: [Failure] = []
        for (number, change) in changes.enumerated() {
            guard let id = change.id else {
                failures.append(Failure(id: nil, status: 400, error: "_id must be a string that is not empty"))
                continue
            }
            guard last[id] == number else { continue }
            if let status = failing(number) {
                failures.append(Failure(id: id, status: status, error: "by plan"))
            } else if isUpdate, holding != .counts, held[id] == nil {
                failures.append(Failure(id: id, status: 404, error: "the document does not exist in the index"))
            } else {
                store(change.document, at: id, isUpdate: isUpdate, holding: holding)
            }
        }
        return failures
    }

    private mutating func store(_ bytes: [UInt8], at id: [UInt8], isUpdate: Bool, holding: EcommerceOptions.Holding) {
        takenCount += 1
        let value: Held
        switch (holding, isUpdate ? held[id] : nil) {
        case (.counts, _): return
        case (.documents, .document(let old)): value = .document(Self.merged(old, bytes))
        case (.documents, _): value = .document(bytes)
        case (.digests, .digest(let old)): value = .digest(Self.digest(bytes, from: old))
        case (.digests, _): value = .digest(Self.digest(bytes))
        }
        if held.updateValue(value, forKey: id) == nil { order = nil }
    }

    /// The fields of the second document in place of the first one's.
    private static func merged(_ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
        guard var object = (try? JSONValue.parse(old))?.objectValue,
            let fields = (try? JSONValue.parse(new))?.objectValue
        else { return new }
        for member in fields.members { object[member.name] = member.value }
        var bytes: [UInt8] = []
        JSONValue.object(object).write(into: &bytes)
        return bytes
    }

    /// Ids behind one, in the order of their bytes.
    mutating func ids(after id: [UInt8]?, limit: Int) -> ArraySlice<[UInt8]> {
        let sorted = order ?? held.keys.sorted { $0.lexicographicallyPrecedes($1) }
        order = sorted
        var low = 0
        var high = id == nil ? 0 : sorted.count
        while let id, low < high {
            let middle = (low + high) / 2
            if id.lexicographicallyPrecedes(sorted[middle]) { high = middle } else { low = middle + 1 }
        }
        return sorted[low...].prefix(limit)
    }

    /// A digest of eight bytes at a time, for telling whether content differs and for nothing else.
    static func digest(_ bytes: [UInt8], from seed: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        bytes.withUnsafeBytes { bytes in
            var digest = seed ^ UInt64(bytes.count)
            var place = 0
            while place < bytes.count {
                var word: UInt64 = 0
                if place + 8 <= bytes.count {
                    word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                } else {
                    for byte in bytes[place...] { word = word << 8 | UInt64(byte) }
                }
                digest = (digest ^ word) &* 0x9E37_79B9_7F4A_7C15
                digest ^= digest >> 32
                place += 8
            }
            return digest
        }
    }
}
