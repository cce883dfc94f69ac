// What a job knows of an index's fields and wants of its documents, prepared for looking up one name after the other.
import SluiceCore

/// The names that matter, as a flat hash table.
struct MarqoPlan: Sendable {
    /// What is done with a declared field.
    enum Treatment: UInt8 {
        case undeclared
        case copied
        /// A byte that is 0 or 1, and nothing else.
        case bool
        /// An object, or a list of keys and values.
        case map
        /// A combination of fields: the document holds its weights at most, and they belong to the request.
        case absent

        init(_ type: FieldType) {
            self =
                switch type {
                case .bool: .bool
                case .intMap, .longMap, .floatMap, .doubleMap: .map
                case .multimodalCombination: .absent
                default: .copied
                }
        }
    }

    struct Known: Sendable {
        var head: UInt64
        var hash: UInt32
        var name: Range<Int32>
        var treatment: Treatment
        /// Whether a patch sends it.
        var isKept: Bool
        /// The field's bit in the words that count what was asked after.
        var presence: UInt64
    }

    let kind: IndexKind
    /// The roles that contradict the kind.
    let foreign: UInt32
    let keepsAll: Bool
    /// A bit for each field that a document must have to be skipped; none skips nothing.
    let asked: UInt64
    /// The bits that every document has: the id's, if it was asked after.
    let present: UInt64
    private(set) var known: [Known] = []
    private(set) var slots: [Int32] = []
    private(set) var names: [UInt8] = []

    init(kind: IndexKind, declared: [String: FieldType], keep: [String]?, skipIfPresent: [String]) {
        // Names are compared by their bytes: Swift holds "é" and "e" with an accent for the same string, JSON does not.
        let types = Dictionary(declared.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { first, _ in first })
        let keep = keep.map { Set($0.map { Array($0.utf8) }) }
        let asked = Set(skipIfPresent.map { Array($0.utf8) })
        precondition(asked.count <= JSONLimit.presentAllMax, "skipIfPresent keeps one bit of a word for each name")
        var bits: [[UInt8]: UInt64] = [:]
        for (bit, name) in asked.enumerated() { bits[name] = 1 << UInt64(bit) }
        self.kind = kind
        foreign = kind.foreign
        keepsAll = keep == nil
        self.asked = bits.values.reduce(0, |)
        present = bits[Array(Marqo.idField.utf8)] ?? 0

        let all = asked.union(keep ?? []).union(types.keys)
        slots = Array(repeating: -1, count: Self.slotCount(all.count))
        for name in all.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            add(name, types[name].map(Treatment.init) ?? .undeclared, keep?.contains(name) ?? true, bits[name] ?? 0)
        }
    }

    private mutating func add(_ name: [UInt8], _ treatment: Treatment, _ isKept: Bool, _ presence: UInt64) {
        let mark = MarqoName(of: name)
        var slot = Int(mark.hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(known.count)
        let start = Int32(names.count)
        names += name
        known.append(
            Known(
                head: mark.head,
                hash: mark.hash,
                name: start..<Int32(names.count),
                treatment: treatment,
                isKept: isKept,
                presence: presence
            )
        )
    }

    /// A power of two with at least as many free slots as names.
    private static func slotCount(_ names: Int) -> Int {
        var count = 8
        while count < names * 2 { count *= 2 }
        return count
    }

    /// What was asked for as one line of JSON; in which order it was named makes no difference.
    static func fingerprint(
        kind: IndexKind,
        declared: [String: FieldType],
        keep: [String]?,
        skipIfPresent: [String]
    ) -> String {
        func sorted(_ names: [String]) -> [String] { names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        func list(_ names: [String]) -> JSONValue { .array(sorted(names).map { .string($0) }) }
        var types = JSONObject()
        for name in sorted(Array(declared.keys)) { types[name] = declared[name].map { .string($0.rawValue) } }
        let selection: JSONValue = [
            // Raised when the same document would become another one than before.
            "marqo": 1,
            "kind": .string(kind.rawValue), "declared": .object(types),
            "keep": keep.map(list) ?? .null, "skip": list(skipIfPresent),
        ]
        return selection.description
    }
}

extension MarqoPlan {
    /// The plan without its owners: counting references for each name would cost more than the look-up.
    ///
    /// Unsafe, so lent for the time of `body` only; buffers still check their bounds in debug builds.
    struct Tables {
        let kind: IndexKind
        let foreign: UInt32
        let keepsAll: Bool
        let asked: UInt64
        let present: UInt64
        let known: UnsafeBufferPointer<Known>
        let slots: UnsafeBufferPointer<Int32>
        let names: UnsafeBufferPointer<UInt8>

        /// Whether there is anything to look up once a document has been read.
        var selects: Bool { !keepsAll || asked != 0 }

        /// The place of a name of the text in `known`, or nothing.
        @inline(__always)
        func find(_ name: MarqoName, in grammar: JSONGrammar) -> Int? {
            var slot = Int(name.hash) & (slots.count - 1)
            while true {
                let index = Int(slots[slot])
                if index < 0 { return nil }
                let entry = known[index]
                if entry.hash == name.hash, entry.head == name.head, says(name, entry, in: grammar) { return index }
                slot = (slot + 1) & (slots.count - 1)
            }
        }

        @inline(__always)
        private func says(_ name: MarqoName, _ entry: Known, in grammar: JSONGrammar) -> Bool {
            if name.isEscaped { return grammar.says(name.start..<name.end, text(of: entry)) }
            let count = name.end - name.start
            guard entry.name.count == count else { return false }
            return count <= 8
                || grammar.equals(name.start, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text(of: entry))))
        }

        private func text(of entry: Known) -> Slice<UnsafeBufferPointer<UInt8>> {
            names[Int(entry.name.lowerBound)..<Int(entry.name.upperBound)]
        }
    }

    @inline(__always)
    func withTables<R>(_ body: (Tables) -> R) -> R {
        known.withUnsafeBufferPointer { known in
            slots.withUnsafeBufferPointer { slots in
                names.withUnsafeBufferPointer { names in
                    body(
                        Tables(
                            kind: kind,
                            foreign: foreign,
                            keepsAll: keepsAll,
                            asked: asked,
                            present: present,
                            known: known,
                            slots: slots,
                            names: names
                        )
                    )
                }
            }
        }
    }
}
