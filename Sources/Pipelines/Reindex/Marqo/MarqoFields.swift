// The fields found in one document, in memory that is lent for as long as the document is read.
import SluiceCore

/// One field of the user's, or one part of a list or map that Marqo took apart.
struct MarqoField {
    enum Form: UInt8 {
        /// The value is written as it stands.
        case copied
        case yes, no
        /// The parts are the value.
        case list, map
    }

    /// Where no other field is meant.
    static let none: Int32 = -1

    var head: UInt64
    var hash: UInt32
    var nameStart: Int32
    var nameEnd: Int32
    var valueStart: Int32
    var valueEnd: Int32
    /// Of a list or map, its first and last part; of a part, the next one.
    var first = MarqoField.none
    var last = MarqoField.none
    var next = MarqoField.none
    /// Where the name's first point stands and where the name goes on, if it may be a map's entry.
    var pointStart: Int32 = 0
    var pointEnd: Int32 = 0
    /// A list that came in another form already; both must say the same.
    var twin = MarqoField.none
    var form: Form
    var role: MarqoRole
    var isNameEscaped: Bool
    /// Not written by itself: a part, a twin, or what is not wanted.
    var isHidden = false
    /// The document's field types call it a map's entry.
    var isEntry = false

    init(_ name: MarqoName, _ role: MarqoRole, _ form: Form, _ value: Range<Int>) {
        head = name.head
        hash = name.hash
        nameStart = Int32(truncatingIfNeeded: name.start)
        nameEnd = Int32(truncatingIfNeeded: name.end)
        valueStart = Int32(truncatingIfNeeded: value.lowerBound)
        valueEnd = Int32(truncatingIfNeeded: value.upperBound)
        self.form = form
        self.role = role
        isNameEscaped = name.isEscaped
    }

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    var hasPoint: Bool { pointEnd > 0 }
}

/// A growing list of fields and a hash table over their names, both of fixed capacity.
///
/// Unsafe, because a bounds check for each field would not be seen to be needless; debug builds check.
struct MarqoFields {
    /// Enough for all but a few documents; who needs more starts again with more.
    static let usualCapacity = 128

    private let fields: UnsafeMutableBufferPointer<MarqoField>
    private let slots: UnsafeMutableBufferPointer<Int32>
    private(set) var count = 0

    var isFull: Bool { count == fields.count }

    /// Lends the memory for `capacity` fields, which is a power of two.
    @inline(__always)
    static func lend<R>(capacity: Int, _ body: (MarqoFields) -> R) -> R {
        withUnsafeTemporaryAllocation(of: MarqoField.self, capacity: capacity) { fields in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: capacity * 2) { slots in
                slots.initialize(repeating: MarqoField.none)
                return body(MarqoFields(fields: fields, slots: slots))
            }
        }
    }

    private init(fields: UnsafeMutableBufferPointer<MarqoField>, slots: UnsafeMutableBufferPointer<Int32>) {
        self.fields = fields
        self.slots = slots
    }

    @inline(__always)
    subscript(index: Int) -> MarqoField {
        get { fields[index] }
        nonmutating _modify { yield &fields[index] }
    }

    /// The slot where a name is, or where it belongs, and the field that is there or `none`.
    @inline(__always)
    func find(_ name: MarqoName, in grammar: JSONGrammar) -> (slot: Int, index: Int) {
        var slot = Int(name.hash) & (slots.count - 1)
        while true {
            let index = Int(slots[slot])
            if index < 0 { return (slot, index) }
            let field = fields[index]
            if field.hash == name.hash, field.head == name.head,
                grammar.isSame(name, Int(field.nameStart), Int(field.nameEnd), isEscaped: field.isNameEscaped)
            {
                return (slot, index)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    /// Adds a field that can't be found by name; there must be room.
    @inline(__always)
    mutating func append(_ field: MarqoField) {
        fields.initializeElement(at: count, to: field)
        count += 1
    }

    /// Adds a field at the slot that `find` gave for its name; there must be room.
    @inline(__always)
    mutating func insert(_ field: MarqoField, at slot: Int) {
        slots[slot] = Int32(truncatingIfNeeded: count)
        append(field)
    }

    /// Makes a field the last part of a list or map.
    @inline(__always)
    func link(_ part: Int, to whole: Int) {
        let index = Int32(truncatingIfNeeded: part)
        fields[part].isHidden = true
        let last = fields[whole].last
        if last < 0 { fields[whole].first = index } else { fields[Int(last)].next = index }
        fields[whole].last = index
    }
}
