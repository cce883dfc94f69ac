// The file sink's deliveries: exact places, shared syncs, and what a failure leaves.
import Glibc
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("deliveries to a file")
struct FileSinkTests {
    @Test("each position is one line, at exactly the place that is answered")
    func places() async throws {
        let bench = try SinkBench(in: TestFolder())
        let sink = bench.sink()
        let whole = try await bench.place(bench.request(0), by: sink)
        let some = try await bench.place(bench.request(1, positions: [0, 2, 3, 9]), by: sink)
        let one = try await bench.place(bench.request(2, positions: [5]), by: sink)
        #expect(try bench.bytes(at: whole) == (0..<10).map { bench.line(0, $0) }.joined())
        #expect(try bench.bytes(at: some) == [0, 2, 3, 9].map { bench.line(1, $0) }.joined())
        #expect(try bench.bytes(at: one) == bench.line(2, 5))
        #expect(whole.offset == 0 && some.offset == whole.length && one.offset == some.offset + some.length)
        #expect(await sink.deliver(try bench.request(3, positions: [])) == .answered([]))
    }

    @Test("deliveries at the same time do not overlap, and every one is where it is said to be")
    func concurrent() async throws {
        let bench = try SinkBench(in: TestFolder())
        let sink = bench.sink(segmentBytesMax: 20_000)
        let places = try await withThrowingTaskGroup(of: (Int, SinkPlace).self) { group in
            for number in 0..<200 {
                group.addTask {
                    (number, try await bench.place(bench.request(number, recordBytes: 20 + number), by: sink))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (number, place) in places {
            #expect(try bench.bytes(at: place) == (0..<10).map { bench.line(number, $0, 20 + number) }.joined())
        }
        let segments = Set(places.values.map(\.segment))
        #expect(segments.count > 10)
        for segment in segments {
            var end = 0
            for place in places.values.filter({ $0.segment == segment }).sorted(by: { $0.offset < $1.offset }) {
                #expect(place.offset == end)
                end += place.length
            }
            #expect(end <= 20_000)
        }
    }

    @Test("deliveries that are written together are answered by one sync each and stay apart when a segment is full")
    func group() throws {
        let bench = try SinkBench(in: TestFolder())
        let writer = SegmentWriter(
            folder: SegmentFolder(output: bench.output, job: bench.job),
            owner: "a",
            writer: "b",
            segmentBytesMax: 700
        )
        let requests = try (0..<7).map { try bench.request($0) }
        let places = writer.write(requests).compactMap { answer -> SinkPlace? in
            guard case .answered(_, let place) = answer else { return nil }
            return place
        }
        #expect(places.map(\.offset) == [0, 310, 0, 310, 0, 310, 0])
        #expect(Set(places.map(\.segment)).count == 4)
    }

    @Test("two writers of one job never write to the same segment, even under one name")
    func twoWriters() async throws {
        let bench = try SinkBench(in: TestFolder())
        let first = try await bench.place(bench.request(0), by: bench.sink("../same owner"))
        let second = try await bench.place(bench.request(0), by: bench.sink("../same owner"))
        #expect(first.segment != second.segment)
        #expect(first.segment.hasPrefix("---same-owner-"))
    }

    @Test("a folder that is gone or forbidden halts the job with the path")
    func missingFolder() async throws {
        let bench = try SinkBench("gone/out.jsonl", in: TestFolder())
        // A file where the folder should be: nobody may make folders in it, root neither.
        try bench.folder.write("", as: "gone")
        let answer = await bench.sink().deliver(try bench.request(0))
        guard case .halted(let reason) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(reason.contains(bench.folder.path("gone")) && reason.contains("Not a directory"), "\(reason)")
    }

    @Test(
        "a full device halts the job by name, and the sink goes on once there is room",
        .enabled(if: isRoot, "only root can mount a small device")
    )
    func fullDevice() async throws {
        let folder = try TestFolder()
        let small = folder.path("small")
        try Folder.make(small)
        guard mount("tmpfs", small, "tmpfs", 0, "size=256k") == 0 else {
            // In a container without the capability there is no small device to fill.
            print("not tested: cannot mount a tmpfs: \(String(cString: strerror(errno)))")
            return
        }
        defer { #expect(umount2(small, 2) == 0) }
        let bench = try SinkBench("small/out.jsonl", in: folder)
        let sink = bench.sink()
        let ballast = try folder.write([UInt8](repeating: 1, count: 100 << 10), as: "small/ballast")
        var places: [SinkPlace] = []
        var halted: String?
        for number in 0..<20 where halted == nil {
            switch await sink.deliver(try bench.request(number, recordBytes: 3000)) {
            case .answered(_, let place?): places.append(place)
            case .halted(let reason): halted = reason
            case let other: Issue.record("\(other)")
            }
        }
        let reason = try #require(halted)
        #expect(reason.contains("tmpfs (mounted at \(small)) is full: free some space"), "\(reason)")
        #expect(reason.contains(bench.segments))
        #expect(!places.isEmpty)

        try Folder.remove(ballast)
        places.append(try await bench.place(bench.request(99, recordBytes: 3000), by: sink))
        for (number, place) in zip(Array(0..<places.count - 1) + [99], places) {
            #expect(try bench.bytes(at: place) == (0..<10).map { bench.line(number, $0, 3000) }.joined())
        }

        // There is no room for the output beside the segments.
        let error = await #expect(throws: SinkError.self) { try await sink.assemble(spans(places)) }
        guard case .stopped(let problem)? = error else { return }
        #expect(problem.contains("is full"))
        #expect(try folder.names(in: "small").contains("out.jsonl.partial") == false)
    }
}
