// Putting the output of a file sink together: what is in it, what is not, and under which name.
import Glibc
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("the output of a file sink")
struct FileSinkAssemblyTests {
    @Test("the output is the booked spans in the order given, with the selected lines of those that have some")
    func order() async throws {
        let bench = try SinkBench(in: TestFolder())
        let (first, second) = (bench.sink("a"), bench.sink("b"))
        var places: [SinkPlace] = []
        for number in 0..<20 {
            places.append(try await bench.place(bench.request(number), by: number % 3 == 0 ? first : second))
        }
        var booked = places.map { BookedSpan(place: $0) }
        booked[4].lines = [0, 2, 9]
        booked[5].lines = []
        booked.swapAt(0, 19)
        let output = try await first.assemble(spans(booked))

        var expected = ""
        for number in [19] + Array(1..<19) + [0] {
            let lines = number == 4 ? [0, 2, 9] : number == 5 ? [] : Array(0..<10)
            for line in lines { expected += bench.line(number, line) }
        }
        #expect(try bench.folder.text("out.jsonl") == expected)
        #expect(output == AssembledOutput(records: 183, bytes: expected.utf8.count))
        #expect(try bench.folder.names().contains("out.jsonl.partial") == false)
    }

    @Test("large spans that follow each other are copied whole")
    func large() async throws {
        let bench = try SinkBench(in: TestFolder())
        let sink = bench.sink(segmentBytesMax: 8 << 20)
        var places: [SinkPlace] = []
        for number in 0..<30 {
            places.append(try await bench.place(bench.request(number, recordBytes: 50_000), by: sink))
        }
        let output = try await sink.assemble(spans(places, atOnce: 7))
        let expected = (0..<30).map { number in (0..<10).map { bench.line(number, $0, 50_000) }.joined() }.joined()
        #expect(try bench.folder.text("out.jsonl") == expected)
        #expect(output.records == 300)
    }

    @Test("bytes that were never booked are in no output: repeated deliveries, a crash's half line, another's segment")
    func unbooked() async throws {
        let bench = try SinkBench(in: TestFolder())
        let (sink, zombie) = (bench.sink("worker"), bench.sink("zombie"))
        let first = try await bench.place(bench.request(1), by: sink)
        _ = try await bench.place(bench.request(1), by: sink)
        _ = try await bench.place(bench.request(2), by: zombie)
        let last = try await bench.place(bench.request(2), by: sink)
        let segment = try OpenFile(bench.segments + "/" + last.segment, O_RDWR)
        try segment.write(Array("{\"_id\":\"half".utf8), at: segment.status().bytes)
        let output = try await bench.sink("finisher").assemble(spans([first, last]))
        #expect(output.records == 20)
        let expected = [1, 2].flatMap { number in (0..<10).map { bench.line(number, $0) } }.joined()
        #expect(try bench.folder.text("out.jsonl") == expected)
    }

    @Test("an output whose name ends in .gz can be unpacked by gzip, and so can an empty one", arguments: [0, 40])
    func packed(chunks: Int) async throws {
        let bench = try SinkBench("out.jsonl.gz", in: TestFolder())
        let sink = bench.sink()
        var places: [SinkPlace] = []
        for number in 0..<chunks {
            places.append(try await bench.place(bench.request(number, recordBytes: 5000), by: sink))
        }
        let output = try await sink.assemble(spans(places))
        #expect(output.records == chunks * 10)
        #expect(output.bytes == (try bench.folder.read("out.jsonl.gz").count))
        try #require(shell("gzip -dc '\(bench.output)' > '\(bench.folder.path("unpacked"))'") == 0)
        let expected = (0..<chunks).map { number in (0..<10).map { bench.line(number, $0, 5000) }.joined() }.joined()
        #expect(try bench.folder.text("unpacked") == expected)
    }

    @Test("a job without records has an empty output")
    func empty() async throws {
        let bench = try SinkBench(in: TestFolder())
        #expect(try await bench.sink().assemble(spans([SinkPlace]())) == AssembledOutput(records: 0, bytes: 0))
        #expect(try bench.folder.read("out.jsonl").isEmpty)
    }

    @Test("a file of somebody else is left alone, and replaced only where that is allowed")
    func foreign() async throws {
        let bench = try SinkBench(in: TestFolder())
        let place = try await bench.place(bench.request(0), by: bench.sink())
        try bench.folder.write("precious\n", as: "out.jsonl")
        let error = await #expect(throws: SinkError.self) { try await bench.sink().assemble(spans([place])) }
        #expect(error?.description.hasPrefix("\(bench.output) exists and is not this job's; move it away") == true)
        #expect(try bench.folder.text("out.jsonl") == "precious\n")
        #expect(try bench.folder.names().contains("out.jsonl.partial") == false)

        _ = try await bench.sink(overwrite: true).assemble(spans([place]))
        #expect(try bench.folder.text("out.jsonl") == bench.bytes(at: place))
    }

    @Test("an output that was published before a crash counts as published, even if nobody noted it")
    func identical() async throws {
        let bench = try SinkBench(in: TestFolder())
        let place = try await bench.place(bench.request(0), by: bench.sink())
        try bench.folder.write(try bench.bytes(at: place), as: "out.jsonl")
        #expect(try await bench.sink().assemble(spans([place])).records == 10)
        #expect(try bench.folder.names().contains("out.jsonl.partial") == false)
        // And it is ours from now on.
        let more = try await bench.place(bench.request(1), by: bench.sink())
        #expect(try await bench.sink().assemble(spans([place, more])).records == 20)
    }

    @Test("assembled again after a redrive, the job's own output is replaced; a file put there since is not")
    func again() async throws {
        let bench = try SinkBench(in: TestFolder())
        var places = [try await bench.place(bench.request(0), by: bench.sink())]
        _ = try await bench.sink().assemble(spans(places))
        places.append(try await bench.place(bench.request(1), by: bench.sink()))
        #expect(try await bench.sink().assemble(spans(places)).records == 20)
        #expect(try bench.folder.text("out.jsonl").split(separator: "\n").count == 20)

        try bench.folder.write("somebody's\n", as: "other")
        try Folder.rename(bench.folder.path("other"), to: bench.output)
        await #expect(throws: SinkError.self) { try await bench.sink().assemble(spans(places)) }
        #expect(try bench.folder.text("out.jsonl") == "somebody's\n")
    }

    @Test("of two finishers one waits its turn")
    func twoFinishers() async throws {
        let bench = try SinkBench(in: TestFolder())
        let place = try await bench.place(bench.request(0), by: bench.sink())
        let busy = try OutputAssembly(
            output: bench.output,
            folder: SegmentFolder(output: bench.output, job: bench.job),
            overwrite: false
        )
        let error = await #expect(throws: SinkError.self) { try await bench.sink().assemble(spans([place])) }
        #expect(error == .transient("another process is putting \(bench.output) together"))
        try busy.add([BookedSpan(place: place)])
        #expect(try busy.publish().records == 10)
        #expect(try await bench.sink().assemble(spans([place])).records == 10)
        #expect(try bench.folder.text("out.jsonl") == bench.bytes(at: place))
    }

    @Test("many finishers at once leave one whole output")
    func manyFinishers() async throws {
        let bench = try SinkBench(in: TestFolder())
        let sink = bench.sink()
        var places: [SinkPlace] = []
        for number in 0..<20 {
            places.append(try await bench.place(bench.request(number), by: sink))
        }
        let booked = places
        let finished = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        return try await bench.sink().assemble(spans(booked)).records == 200 ? 1 : 0
                    } catch SinkError.transient {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(finished >= 1)
        let expected = (0..<20).map { number in (0..<10).map { bench.line(number, $0) }.joined() }.joined()
        #expect(try bench.folder.text("out.jsonl") == expected)
    }

    @Test("a segment that is missing, cut or overwritten stops the job by name, and nothing is published")
    func damaged() async throws {
        let bench = try SinkBench(in: TestFolder())
        let place = try await bench.place(bench.request(0), by: bench.sink())
        let path = bench.segments + "/" + place.segment
        let damages: [(String, BookedSpan)] = [
            ("ends before byte", BookedSpan(place: SinkPlace(segment: place.segment, offset: 0, length: 5000))),
            ("does not hold the lines", BookedSpan(place: SinkPlace(segment: place.segment, offset: 0, length: 17))),
            ("does not hold the lines", BookedSpan(place: place, lines: [10])),
            ("No such file", BookedSpan(place: SinkPlace(segment: "none.seg", offset: 0, length: 1))),
            ("is not the name of a segment", BookedSpan(place: SinkPlace(segment: "../out.seg", offset: 0, length: 1))),
        ]
        for (reason, span) in damages {
            let error = await #expect(throws: SinkError.self) { try await bench.sink().assemble(spans([span])) }
            guard case .stopped(let text)? = error else { continue }
            #expect(text.contains(reason), "\(text)")
        }
        #expect(access(path, F_OK) == 0)
        #expect(try bench.folder.names().count == 1)
    }

    @Test("discarding removes the segments and what a crash left of the output, and no output")
    func discard() async throws {
        let bench = try SinkBench(in: TestFolder())
        let sink = bench.sink()
        let place = try await bench.place(bench.request(0), by: sink)
        _ = try await sink.assemble(spans([place]))
        try bench.folder.write("half", as: "out.jsonl.partial")
        try await sink.discardPlaces()
        #expect(try bench.folder.names() == ["out.jsonl"])
        try await sink.discardPlaces()
    }

    private func shell(_ command: String) throws -> Int32 {
        // An independent program, as the reader of the output will be one.
        var child = pid_t()
        let words: [String] = ["/bin/sh", "-c", command]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { try #require(errno == EINTR) }
        return status
    }
}
