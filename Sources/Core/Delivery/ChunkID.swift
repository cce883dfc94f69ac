// A chunk's identity: which page it is of, under which epoch it was cut, and its number there.

/// Job, slice, page, epoch, number: two chunks of one identity have the same content, always.
public struct ChunkID: Sendable, Hashable {
    public let job: JobID
    public let slice: Int
    public let page: Int
    public let epoch: Int
    public let number: Int

    public init(job: JobID, slice: Int, page: Int, epoch: Int, number: Int) {
        self.job = job
        self.slice = slice
        self.page = page
        self.epoch = epoch
        self.number = number
    }

    /// `slice#page#epoch#number`, padded so that text sorts in the order of the source.
    public var path: String {
        String(unsafeUninitializedCapacity: 4 * PaddedDigits.digitsMax + 3) { text in
            var writer = PaddedDigits(text)
            writer.write(slice, 3)
            writer.write(page, 9, after: "#")
            writer.write(epoch, 6, after: "#")
            writer.write(number, 4, after: "#")
            return writer.count
        }
    }

    /// Reads what `path` wrote.
    public init?(job: JobID, path: String) {
        // By hand, because every message and booking names its chunk.
        var numbers: (Int, Int, Int, Int) = (0, 0, 0, 0)
        var marks = 0
        var digits = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "#") {
                guard digits > 0, marks < 3 else { return nil }
                numbers = (numbers.1, numbers.2, numbers.3, 0)
                marks += 1
                digits = 0
                continue
            }
            digits += 1
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits <= 18 else { return nil }
            numbers.3 = numbers.3 * 10 + Int(byte - UInt8(ascii: "0"))
        }
        guard marks == 3, digits > 0 else { return nil }
        self.init(job: job, slice: numbers.0, page: numbers.1, epoch: numbers.2, number: numbers.3)
    }
}

extension ChunkID: CustomStringConvertible {
    public var description: String { "\(job)/\(path)" }
}
