// JSON as bytes: one grammar, which the record scanner runs over spans and the value parser over trees.

/// The limits of every JSON text that enters the house.
public enum JSONLimit {
    /// How deep objects and arrays may stand in one another.
    ///
    /// Readers walk by recursion, so the limit keeps a hostile text from ending the process; no record we know is deeper than 20.
    public static let depthMax = 256

    /// How many names `RecordSelection.presentAll` may hold: each is one bit of a word.
    public static let presentAllMax = 64

    /// How many bytes one `RecordBatch` may hold: entries keep their places in 32 bits.
    public static let batchBytesMax = Int(Int32.max)
}

/// The bytes that carry the grammar, by name.
@usableFromInline
package enum Sign {
    @inlinable package static var tab: UInt8 { 0x09 }
    @inlinable package static var newline: UInt8 { 0x0A }
    @inlinable package static var carriageReturn: UInt8 { 0x0D }
    @inlinable package static var space: UInt8 { 0x20 }
    @inlinable package static var quote: UInt8 { 0x22 }
    @inlinable package static var comma: UInt8 { 0x2C }
    @inlinable package static var minus: UInt8 { 0x2D }
    @inlinable package static var point: UInt8 { 0x2E }
    @inlinable package static var zero: UInt8 { 0x30 }
    @inlinable package static var colon: UInt8 { 0x3A }
    @inlinable package static var openBracket: UInt8 { 0x5B }
    @inlinable package static var backslash: UInt8 { 0x5C }
    @inlinable package static var closeBracket: UInt8 { 0x5D }
    @inlinable package static var openBrace: UInt8 { 0x7B }
    @inlinable package static var closeBrace: UInt8 { 0x7D }
}
