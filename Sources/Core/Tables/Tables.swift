// Items and their keys: typed records over plain attributes, and how they are written down.

/// The primary key of an item.
///
/// Keys are equal if their bytes are, whatever Unicode says of the letters.
public struct ItemKey: Sendable, Hashable, CustomStringConvertible {
    public let partition: String
    /// Nil in a table without a sort key.
    public let sort: String?

    public init(_ partition: String, _ sort: String? = nil) {
        self.partition = partition
        self.sort = sort
    }

    public static func == (left: ItemKey, right: ItemKey) -> Bool {
        guard left.partition.utf8.elementsEqual(right.partition.utf8) else { return false }
        return switch (left.sort, right.sort) {
        case (let left?, let right?): left.utf8.elementsEqual(right.utf8)
        case (nil, nil): true
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        for part in [partition, sort ?? ""] {
            var part = part
            part.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            hasher.combine(UInt8.max)
        }
    }

    public var description: String { sort.map { "\(partition) / \($0)" } ?? partition }
}
