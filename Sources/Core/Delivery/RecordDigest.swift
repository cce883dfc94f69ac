// A short fingerprint of a record's bytes, by which it can be told later whether they have changed.

/// 64 bits that are equal for equal bytes, and almost surely differ for others.
///
/// Against accidents, not against somebody who looks for two records with one digest. The same on every machine, for
/// digests are stored.
public struct RecordDigest: Sendable, Hashable {
    public let value: UInt64

    public init(value: UInt64) {
        self.value = value
    }

    /// Sixteen bytes at a time: each half is mixed with what came before by a full multiplication, folded to one word.
    public init(_ bytes: UnsafeRawBufferPointer) {
        var state = Self.first ^ UInt64(truncatingIfNeeded: bytes.count)
        var place = 0
        while bytes.count - place > 16 {
            let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
            state = Self.fold(low ^ state, high ^ Self.second) ^ state.byteSwapped
            place += 16
        }
        var rest: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &rest) { $0.copyBytes(from: bytes[place...]) }
        state = Self.fold(UInt64(littleEndian: rest.0) ^ state, UInt64(littleEndian: rest.1) ^ Self.second)
        value = Self.fold(state ^ Self.third, Self.second ^ UInt64(truncatingIfNeeded: bytes.count))
    }

    public init(_ text: String) {
        var text = text
        self = text.withUTF8 { RecordDigest(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    // The first digits of the square roots of 2, 3 and 5, odd: as good as any other numbers without a pattern.
    private static let first: UInt64 = 0x6A09_E667_F3BC_C909
    private static let second: UInt64 = 0xBB67_AE85_84CA_A73B
    private static let third: UInt64 = 0x3C6E_F372_FE94_F82B
}
