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
        "\(pad(slice, 3))#\(pad(page, 9))#\(pad(epoch, 6))#\(pad(number, 4))"
    }

    /// Reads what `path` wrote.
    public init?(job: JobID, path: some StringProtocol) {
        let parts = path.split(separator: "#", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 4, let slice = parts[0], let page = parts[1], let epoch = parts[2], let number = parts[3]
        else { return nil }
        self.init(job: job, slice: slice, page: page, epoch: epoch, number: number)
    }
}

extension ChunkID: CustomStringConvertible {
    public var description: String { "\(job)/\(path)" }
}
