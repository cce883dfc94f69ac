// Continuations: how far the bucket cursor is, and nothing of the slices.

/// The token of a visit that goes on at a bucket.
struct VespaToken: Equatable {
    var bucket: Int
    /// Tells apart tokens of the same place: an answer without documents still leads on.
    var step = 0

    init(bucket: Int, step: Int = 0) {
        self.bucket = bucket
        self.step = step
    }

    /// Nil for what no visit has given out.
    init?(_ text: String) {
        let parts = text.split(separator: "+", omittingEmptySubsequences: false)
        guard parts.count == 3, let bucket = Int(parts[0], radix: 36), let step = Int(parts[1], radix: 36),
            bucket >= 0, step >= 0
        else { return nil }
        self.init(bucket: bucket, step: step)
        guard self.text == text else { return nil }
    }

    /// With signs in it that have to be escaped in a URL.
    var text: String {
        let check = (UInt64(bucket) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(step) &* 0xBF58_476D_1CE4_E5B9) >> 44
        return "\(String(bucket, radix: 36))+\(String(step, radix: 36))+\(String(check, radix: 36))/=="
    }
}
