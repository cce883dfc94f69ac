// A selection, prepared for looking up one key after the other.

/// The names that matter at each level, as flat tables: node 0 is the record itself, the others are objects inside of it.
struct SelectionPlan: Sendable {
    /// One level: which entries are its names, and a filter that knows most other keys as strangers.
    struct Node: Sendable {
        var entries: Range<Int32>
        var filter: UInt64
    }

    /// One name: what it is compared by, and what is done with its field.
    struct Entry: Sendable {
        /// The name's first eight bytes, and where all of it lies in `names`.
        var head: UInt64
        var name: Range<Int32>
        var isWritten: Bool
        var isID: Bool
        /// The field's bit in the words that count what was asked after.
        var presence: UInt64
        /// The level that the field's value opens, or `noNode`.
        var child: Int32
    }

    static let noNode: Int32 = -1

    let idField: String
    /// Whether a field without an entry at the top is written.
    let writesOthers: Bool
    /// A bit for each field asked after.
    let asked: UInt64
    private(set) var nodes: [Node] = []
    private(set) var entries: [Entry] = []
    private(set) var names: [UInt8] = []

    init(_ selection: RecordSelection) {
        // Names are compared by their bytes: Swift holds "é" and "e" with an accent for the same string, JSON does not.
        let idName = Name(selection.idField.utf8)
        let asked = Set(selection.presentAll.map { Name($0.utf8) })
        precondition(asked.count <= JSONLimit.presentAllMax, "presentAll keeps one bit of a word for each name")
        idField = selection.idField
        writesOthers = selection.keep == nil
        self.asked = asked.count == UInt64.bitWidth ? .max : 1 << UInt64(asked.count) - 1

        let drops = DropTree(selection.drop)
        let keep = selection.keep.map { Set($0.map { Name($0.utf8) }) }
        let fields = asked.union(keep ?? []).union(drops.children.keys).union([idName])
        var presence: [Name: UInt64] = [:]
        for (bit, name) in asked.enumerated() { presence[name] = 1 << UInt64(bit) }

        nodes = [Node(entries: 0..<0, filter: 0)]
        var opened: [(entry: Int, tree: DropTree)] = []
        for field in fields.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let isID = field == idName
            let tree = drops.children[field]
            let isKept = keep?.contains(field) ?? true
            let isWritten = isID || isKept && tree?.isDropped != true
            if let tree, isWritten, !isID { opened.append((entries.count, tree)) }
            add(field, to: 0, isWritten: isWritten, isID: isID, presence: presence[field] ?? 0)
        }
        open(opened)
    }

    /// Gives each opened entry its level, level by level, so that one level's entries lie together.
    private mutating func open(_ first: [(entry: Int, tree: DropTree)]) {
        var opened = first
        while !opened.isEmpty {
            var next: [(entry: Int, tree: DropTree)] = []
            for (entry, tree) in opened {
                let node = Int32(nodes.count)
                entries[entry].child = node
                nodes.append(Node(entries: Int32(entries.count)..<Int32(entries.count), filter: 0))
                for (name, child) in tree.children.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                    if !child.isDropped { next.append((entries.count, child)) }
                    add(name, to: Int(node), isWritten: !child.isDropped, isID: false, presence: 0)
                }
            }
            opened = next
        }
    }

    private mutating func add(_ name: Name, to node: Int, isWritten: Bool, isID: Bool, presence: UInt64) {
        var head: UInt64 = 0
        for (index, byte) in name.prefix(8).enumerated() { head |= UInt64(byte) << UInt64(8 * index) }
        let start = Int32(names.count)
        names += name
        entries.append(
            Entry(
                head: head,
                name: start..<Int32(names.count),
                isWritten: isWritten,
                isID: isID,
                presence: presence,
                child: Self.noNode
            )
        )
        nodes[node].entries = nodes[node].entries.lowerBound..<Int32(entries.count)
        nodes[node].filter |= Self.filterBit(head: head, length: name.count)
    }

    /// The tables without their owners: counting references for each key would cost a tenth of the scan.
    ///
    /// Unsafe, so lent for the time of `body` only; buffers still check their bounds in debug builds.
    struct Tables {
        let nodes: UnsafeBufferPointer<Node>
        let entries: UnsafeBufferPointer<Entry>
        let names: UnsafeBufferPointer<UInt8>
        let writesOthers: Bool

        func name(of entry: Entry) -> Slice<UnsafeBufferPointer<UInt8>> {
            names[Int(entry.name.lowerBound)..<Int(entry.name.upperBound)]
        }
    }

    @inline(__always)
    func withTables<R>(_ body: (Tables) -> R) -> R {
        nodes.withUnsafeBufferPointer { nodes in
            entries.withUnsafeBufferPointer { entries in
                names.withUnsafeBufferPointer { names in
                    body(Tables(nodes: nodes, entries: entries, names: names, writesOthers: writesOthers))
                }
            }
        }
    }

    /// One of 64 bits, by the name's length and first eight bytes.
    @inline(__always)
    static func filterBit(head: UInt64, length: Int) -> UInt64 {
        1 &<< (((head ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15) &>> 58)
    }
}

/// A field's name, as the bytes it has in a record.
private typealias Name = [UInt8]

/// Dropped paths as a tree of names; a dropped name hides what is dropped beneath it.
private struct DropTree {
    var children: [Name: DropTree] = [:]
    var isDropped = false

    init(_ paths: [String]) {
        for path in paths {
            add(path.split(separator: ".", omittingEmptySubsequences: false)[...])
        }
    }

    private mutating func add(_ path: ArraySlice<Substring>) {
        guard let first = path.first else {
            isDropped = true
            return
        }
        // Arrays pass the path on anyway; the brackets are for the reader.
        let name = first.hasSuffix("[]") ? first.dropLast(2) : first
        children[Name(name.utf8), default: DropTree([])].add(path.dropFirst())
    }
}
