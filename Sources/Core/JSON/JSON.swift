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
enum Sign {
    static let tab: UInt8 = 0x09
    static let newline: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let comma: UInt8 = 0x2C
    static let minus: UInt8 = 0x2D
    static let point: UInt8 = 0x2E
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let openBrace: UInt8 = 0x7B
    static let closeBrace: UInt8 = 0x7D
}
