// Pages of more chunks than a store tells of in one call.
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("A page of more than a hundred chunks", .timeLimit(.minutes(10)))
struct LongPageTests {
    private let world: FixedWorld

    init() async throws {
        var settings = EngineSettings()
        settings.chunkRecordsMax = 1
        let sinks = FaultSinks(kind: .prompt, fault: nil)
        world = FixedWorld(LongPageParts(base: FaultParts(sinks: sinks)), isAtomic: false, settings: settings)
        try await world.extract()
    }

    @Test("is sent again as a whole")
    func resent() async throws {
        let house = Housekeeper(world.context, gate: Gate(world.context, cache: JobCache(world.context)))
        for slice in try await world.context.slices(of: world.job.id) {
            #expect(try await house.resend(world.job, slice) == LongPageSource.records)
        }
    }

    @Test("keeps its payload until its last record has ended")
    func swept() async throws {
        let objects = world.context.backend.objects
        let prefix = PayloadKey.prefix(world.job.id)
        let kept = try await objects.list(prefix: prefix, after: nil, limit: 10).map(\.key)
        try await PayloadJanitor.sweep(world.job.id, world.context)
        #expect(try await objects.list(prefix: prefix, after: nil, limit: 10).map(\.key) == kept)
        #expect(kept.count == world.job.concurrency)
        try await world.steps.replay()
        try await world.steps.book()
        // As if whoever booked the last record had been cut off before it removed them.
        for key in kept { try await objects.put([1], at: key, onlyIfAbsent: false) }
        try await PayloadJanitor.sweep(world.job.id, world.context)
        #expect(try await objects.list(prefix: prefix, after: nil, limit: 10).isEmpty)
    }
}

/// One page in each slice.
private struct LongPageSource: RecordSource {
    static let records = TableLimits.keysPerGet + 1

    func describe() async throws(SourceError) -> SourceDescription { SourceDescription(fingerprint: "fixed") }

    func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        page.reset()
        for index in 0..<Self.records {
            let start = page.bytes.count
            page.bytes += Array(#"{"_id":"d\#(request.slice).\#(index)x"}"#.utf8)
            page.records.append(.init(range: start..<page.bytes.count, position: Int64(index)))
        }
        page.bytes += Array(repeating: 0, count: SourcePage.padding)
    }

    func locate(_ positions: [Int64]) async -> [String?] { positions.map { "record \($0)" } }
}

private struct LongPageParts: JobParts {
    let base: FaultParts

    func source(for job: Job) throws(JobError) -> any RecordSource { LongPageSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { try base.transform(for: job) }
    func sink(for job: Job) throws(JobError) -> any RecordSink { try base.sink(for: job) }
    func destination(of job: Job) -> String? { base.destination(of: job) }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { true }
}
