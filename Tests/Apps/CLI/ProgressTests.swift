// Progress, rate, ETA and their pictures, on jobs and clocks made for it.
import SluiceCore
import Synchronization
import Testing

@testable import sluice

@Suite("Progress")
struct ProgressTests {
    @Test("the total is foretold from the bytes read, and exact once all slices are finished")
    func total() {
        #expect(Made.progress(extracted: 0, bytesRead: 0).total == nil)
        let shares = Made.progress(extracted: 100, fractions: [0.5, 0.25])
        #expect(shares.total == 267)
        #expect(!shares.isTotalExact)
        #expect(shares.fractionRead(of: shares.slices[1]) == 0.25)
        #expect(Made.progress(extracted: 100, fractions: [0.5, nil]).total == nil)
        #expect(Made.progress(extracted: 100, bytesRead: 250).total == 400)
        #expect(!Made.progress(extracted: 100, bytesRead: 250).isTotalExact)
        let finished = Made.progress(extracted: 390, completed: 390, bytesRead: 1000, finished: true)
        #expect(finished.total == 390)
        #expect(finished.isTotalExact)
        #expect(finished.fraction == 1)
    }

    @Test("the ETA comes from what was done while running")
    func remaining() {
        var pace = Pace()
        pace.add(Made.progress(second: 0, extracted: 100, completed: 0, bytesRead: 250))
        pace.add(Made.progress(second: 5, extracted: 100, completed: 100, bytesRead: 250))
        let seen = Made.progress(second: 5, extracted: 100, completed: 100, bytesRead: 250)
        #expect(pace.rate(seen) == 20)
        #expect(pace.remaining(seen) == .seconds(15))
    }

    @Test("a pause counts for nothing, and ends what was seen before it")
    func pause() {
        var pace = Pace()
        pace.add(Made.progress(second: 0, extracted: 100, completed: 0, bytesRead: 250))
        pace.add(Made.progress(second: 500, status: .paused, extracted: 100, completed: 50, bytesRead: 250))
        pace.add(Made.progress(second: 1000, extracted: 100, completed: 50, bytesRead: 250))
        let later = Made.progress(second: 1002, extracted: 100, completed: 90, bytesRead: 250)
        pace.add(later)
        #expect(pace.rate(later) == 20)
    }

    @Test("nobody knows an ETA without a total, without work, or while paused")
    func unknown() {
        let pace = Pace()
        #expect(pace.remaining(Made.progress(extracted: 0, bytesRead: 0)) == nil)
        #expect(pace.remaining(Made.progress(extracted: 100, bytesRead: 250)) == nil)
        #expect(pace.remaining(Made.progress(status: .paused, extracted: 100, completed: 50, bytesRead: 250)) == nil)
    }

    @Test("a slow job is not done at 99.9 percent, and long times are said in hours")
    func words() {
        let nearly = Made.progress(extracted: 100_000, completed: 99_999, bytesRead: 1000, finished: true)
        #expect(ProgressText(progress: nearly, pace: Pace()).line.contains("99 %, 99999 of 100000 records done"))
        #expect(ProgressText.spoken(.seconds(59)) == "59 s")
        #expect(ProgressText.spoken(.seconds(125)) == "2 min 5 s")
        #expect(ProgressText.spoken(.seconds(12_060)) == "3 h 21 min")
    }

    @Test("the balance line names every counter")
    func balance() {
        let line = Made.progress(extracted: 10, completed: 7, bytesRead: 1).balanceLine
        #expect(line == "10 extracted = 0 skipped + 3 in flight + 0 awaiting + 0 dead-lettered + 7 completed")
    }

    @Test("where the balance is too long for a line it goes on in the next")
    func wrapped() {
        let progress = Made.progress(extracted: 10, completed: 7, bytesRead: 1)
        let lines = ProgressText(progress: progress, pace: Pace()).bars(width: 60, height: 24)
        #expect(
            lines.suffix(2) == [
                "10 extracted = 0 skipped + 3 in flight + 0 awaiting", "+ 0 dead-lettered + 7 completed",
            ]
        )
    }

    @Test("bars keep to the terminal's width and height", arguments: [(100, 24), (80, 12), (40, 12), (20, 14)])
    func bars(width: Int, height: Int) {
        let progress = Made.progress(extracted: 100, completed: 50, bytesRead: 500, slices: 12)
        let lines = ProgressText(progress: progress, pace: Pace()).bars(width: width, height: height)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.count < height)
    }

    @Test("a bar shows what has come to an end, and what is on its way")
    func bar() {
        let progress = Made.progress(extracted: 100, completed: 50, bytesRead: 500)
        let lines = ProgressText(progress: progress, pace: Pace()).bars(width: 40, height: 24)
        #expect(lines[1] == " 0 [=====-----          ]  50 %      100")
    }
}

@Suite("Where progress is drawn")
struct ProgressDisplayTests {
    private final class Paper: Sendable {
        let text = Mutex("")
        func write(_ more: String) { text.withLock { $0 += more } }
        var lines: [Substring] { text.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: true) }
    }

    @Test("plain lines come once a second, and only with news")
    func plain() {
        let paper = Paper()
        var display = ProgressDisplay(.lines, write: paper.write)
        let first = Made.progress(second: 0, extracted: 0, bytesRead: 0)
        #expect(display.isDue(at: first.now))
        display.show(first, isLast: false)
        #expect(!display.isDue(at: first.now.advanced(by: .milliseconds(900))))
        #expect(display.isDue(at: first.now.advanced(by: .seconds(1))))
        display.show(Made.progress(second: 1, extracted: 0, bytesRead: 0), isLast: false)
        #expect(paper.lines.count == 1)
        display.show(Made.progress(second: 2, extracted: 0, bytesRead: 0), isLast: true)
        #expect(paper.lines.count == 2)
        #expect(paper.lines[0].hasPrefix("2023-11-14T22:13:20.000Z "))
        #expect(paper.lines[0].contains("in_progress, 0 records done of an unknown number, rate unknown, ETA unknown"))
    }

    @Test("bars are drawn over the picture before")
    func redrawn() {
        let paper = Paper()
        var display = ProgressDisplay(.bars, write: paper.write)
        display.show(Made.progress(extracted: 0, bytesRead: 0), isLast: false)
        let lines = paper.lines.count
        display.show(Made.progress(second: 1, extracted: 5, bytesRead: 10), isLast: false)
        #expect(paper.text.withLock { $0 }.contains("\u{1B}[\(lines)A\r\u{1B}[J"))
    }

    @Test("for programs each look is an object")
    func json() throws {
        let paper = Paper()
        var display = ProgressDisplay(.json, write: paper.write)
        display.show(Made.progress(extracted: 100, completed: 40, bytesRead: 250), isLast: true)
        let record = try JSONValue.parse(Array(paper.lines[0].utf8))
        #expect(record["completed_doc_count"]?.intValue == 40)
        #expect(record["total_doc_count"]?.intValue == 400)
        #expect(record["remaining_seconds"]?.isNull == true)
        #expect(record["slices"]?.arrayValue?.count == 1)
    }
}

/// Jobs and slices for tests: 1000 bytes to read.
enum Made {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func job(status: JobStatus = .inProgress, slices: Int = 1) -> Job {
        let key = JobKey(
            systemAccountID: "local",
            indexName: "docs",
            id: JobID(now: start, random: SeededRandomSource(seed: 7))
        )
        var job = Job(
            key: key,
            reindexType: .post,
            concurrency: slices,
            source: "file:///in.jsonl",
            sink: "noop:",
            sourceDescription: SourceDescription(fingerprint: "f", bytes: 1000),
            now: start
        )
        job.status = status
        return job
    }

    static func progress(
        second: Int = 0,
        status: JobStatus = .inProgress,
        extracted: Int,
        completed: Int = 0,
        bytesRead: Int,
        finished: Bool = false,
        slices: Int = 1
    ) -> JobProgress {
        let job = job(status: status, slices: slices)
        let items = (0..<slices).map { index in
            var slice = SliceItem(job: job.id, index: index, match: "")
            guard index == 0 else { return slice }
            slice.extracted = extracted
            slice.completed = completed
            slice.inFlight = extracted - completed
            slice.bytesRead = Int64(bytesRead)
            slice.finished = finished
            return slice
        }
        return JobProgress(job, items, now: start.advanced(by: .seconds(second)))
    }

    /// Of a source that knows neither its records nor its bytes, but how far each slice is.
    static func progress(extracted: Int, fractions: [Double?]) -> JobProgress {
        var job = job(status: .inProgress, slices: fractions.count)
        job.sourceBytes = nil
        let items = fractions.enumerated().map { index, fraction in
            var slice = SliceItem(job: job.id, index: index, match: "")
            slice.fractionRead = fraction
            if index == 0 {
                slice.extracted = extracted
                slice.inFlight = extracted
            }
            return slice
        }
        return JobProgress(job, items, now: start)
    }
}
