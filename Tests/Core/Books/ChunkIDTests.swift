// A chunk's path sorts as the source does, and reads back to the same chunk.
import SluiceCore
import Testing

@Suite("Chunk ids")
struct ChunkIDTests {
    private let job = JobID(now: Timestamp(milliseconds: 1_790_000_000_000), random: SeededRandomSource(seed: 1))

    private func chunk(_ slice: Int, _ page: Int, _ epoch: Int, _ number: Int) -> ChunkID {
        ChunkID(job: job, slice: slice, page: page, epoch: epoch, number: number)
    }

    @Test("read back what they wrote")
    func roundTrip() {
        for id in [chunk(0, 0, 1, 0), chunk(255, 999_999_999, 999_999, 9999), chunk(7, 1_000_000_000, 12, 3)] {
            #expect(ChunkID(job: job, path: id.path) == id)
        }
    }

    @Test("sort as text in the order of the source")
    func order() {
        let ids = [chunk(0, 9, 2, 0), chunk(0, 10, 1, 0), chunk(0, 10, 1, 9), chunk(0, 10, 1, 10), chunk(2, 0, 1, 0)]
        #expect(ids.map(\.path).sorted() == ids.map(\.path))
    }

    @Test(
        "refuse a path of another form",
        arguments: [
            "", "#", "1#2#3", "1#2#3#", "1#2#3#4#5", "1##3#4", "a#2#3#4", "1#2#3#-4", "+1#2#3#4", " 1#2#3#4",
            "1#2#3#99999999999999999999",
        ]
    )
    func refused(path: String) {
        #expect(ChunkID(job: job, path: path) == nil)
    }
}
