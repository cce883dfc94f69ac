// A source without snapshots, a transform and sinks that misbehave, for simulations.
import SluiceCore
import Synchronization

@testable import SluiceEngine

/// Pages of one to four records; fetched again, a page may hold other records, as a source without snapshots brings them.
struct ShiftingSource: RecordSource {
    let pages: Int
    let fetches = Fetches()

    final class Fetches: Sendable {
        let counts = Mutex<[String: Int]>([:])
    }

    func describe() async throws(SourceError) -> SourceDescription { SourceDescription(fingerprint: "shifting") }

    func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        page.reset()
        let number = request.continuation.flatMap { Int($0.text) } ?? 0
        let version = fetches.counts.withLock { counts in
            counts["\(request.slice)/\(number)", default: 0] += 1
            return counts["\(request.slice)/\(number)"] ?? 1
        }
        for index in 0..<[3, 2, 4, 1, 0][(number + version + request.slice) % 5] {
            let id = "d\(request.slice).\(number).\(index)" + (version == 1 ? "" : "v\(version)")
            let start = page.bytes.count
            page.bytes += Array(#"{"_id":"\#(id)"}"#.utf8)
            page.records.append(.init(range: start..<page.bytes.count, position: Int64(index)))
        }
        page.bytes += Array(repeating: 0, count: SourcePage.padding)
        page.next = number + 1 < pages ? Continuation("\(number + 1)") : nil
    }

    func locate(_ positions: [Int64]) async -> [String?] { positions.map { "record \($0)" } }
}

/// Writes records as they are, skips ids that end in `.3`.
struct PlainTransform: RecordTransform {
    let scanner = RecordScanner(RecordSelection())
    var fingerprint: String { "plain" }

    func transform(_ bytes: UnsafeRawBufferPointer, range: Range<Int>, into batch: inout RecordBatch)
        -> TransformOutcome
    {
        do {
            try scanner.scan(bytes.bytes, range: range, into: &batch)
        } catch {
            return .refused(reason: error.message, offset: error.offset)
        }
        if batch.id(at: batch.count - 1).hasSuffix(".3") {
            batch.removeLast()
            return .skipped
        }
        return .written
    }
}

/// What reached a sink of a simulation, whatever kind it is.
final class SinkWorld: Sendable {
    struct State {
        /// Records that are there.
        var held: Set<String> = []
        /// Epochs by which chunks were submitted.
        var delivered: Set<ChunkID> = []
        var receipts: [String: Receipt] = [:]
        var nextReceipt = 0
        var segments: [String: [String]] = [:]
        var output: [String]?
        var isMended = false
    }

    struct Receipt {
        var ids: [String]
        var ends: [RecordOutcome]?
    }

    let state = Mutex(State())
    let scheduler: Scheduler

    init(_ scheduler: Scheduler) { self.scheduler = scheduler }

    /// Every record whose number in its page is 1, of even slices, is refused until somebody mends the world.
    func isPoison(_ id: String) -> Bool {
        let parts = id.dropFirst().split(separator: ".")
        guard !state.withLock(\.isMended), parts.count == 3, let slice = Int(parts[0]) else { return false }
        return slice % 2 == 0 && parts[2].hasPrefix("1")
    }

    func ids(_ request: DeliveryRequest) -> [String] { request.positions.map { request.records.id(at: $0) ?? "?" } }
}

/// Accepts first, and says later; refuses a chunk with a poison record as a whole.
struct LaterSink: ConfirmingSink {
    let world: SinkWorld
    let faults: Bool

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let scheduler = world.scheduler
        do { try await scheduler.step("submit \(request.chunk.path) \(request.positions)") } catch {
            return .unknown(reason: "crashed", after: nil)
        }
        let mayFail = faults && !scheduler.isDraining
        if mayFail, scheduler.chance(6) {
            return scheduler.chance(50)
                ? .overloaded(reason: "429", after: .seconds(1))
                : .unknown(reason: "not taken, answer lost", after: nil)
        }
        let ids = world.ids(request)
        if ids.contains(where: { world.isPoison($0) }) { return .refused(reason: "poison") }
        let receipt = world.state.withLock { state in
            scheduler.touch()
            state.delivered.insert(request.chunk)
            state.nextReceipt += 1
            state.receipts["r\(state.nextReceipt)"] = SinkWorld.Receipt(ids: ids)
            return "r\(state.nextReceipt)"
        }
        if mayFail, scheduler.chance(5) { return .unknown(reason: "taken, answer lost", after: nil) }
        return .accepted(receipt: receipt)
    }

    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation {
        let scheduler = world.scheduler
        do { try await scheduler.step("ask about \(receipt)") } catch { return .unknown(reason: "crashed", after: nil) }
        if faults, !scheduler.isDraining {
            if scheduler.chance(10) { return .open }
            if scheduler.chance(5) { return .unknown(reason: "503", after: nil) }
            if scheduler.chance(5) { return .failed(reason: "the job failed as a whole") }
        }
        let firstFails = faults && !scheduler.isDraining && scheduler.chance(10)
        let firstAgain = faults && !scheduler.isDraining && scheduler.chance(10)
        return world.state.withLock { state in
            guard var known = state.receipts[receipt] else { return .forgotten }
            var ends = known.ends ?? known.ids.map { _ in .completed }
            if known.ends == nil, firstFails { ends[0] = .refused(reason: "failed item") }
            if known.ends == nil, firstAgain { ends[0] = .retry(reason: "try again") }
            known.ends = ends
            state.receipts[receipt] = known
            for (id, end) in zip(known.ids, ends) where end == .completed { state.held.insert(id) }
            return .ended(ends)
        }
    }
}

/// Answers for each record at once.
struct PromptSink: RecordSink {
    let world: SinkWorld
    let faults: Bool

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let scheduler = world.scheduler
        do { try await scheduler.step("deliver \(request.chunk.path) \(request.positions)") } catch {
            return .unknown(reason: "crashed", after: nil)
        }
        let mayFail = faults && !scheduler.isDraining
        if mayFail, scheduler.chance(5) { return .unknown(reason: "not taken, answer lost", after: nil) }
        let ids = world.ids(request)
        let outcomes = ids.map { id -> RecordOutcome in
            if world.isPoison(id) { return .refused(reason: "poison") }
            return mayFail && scheduler.chance(5) ? .retry(reason: "busy") : .completed
        }
        world.state.withLock { state in
            scheduler.touch()
            state.delivered.insert(request.chunk)
            for (id, outcome) in zip(ids, outcomes) where outcome == .completed { state.held.insert(id) }
        }
        if mayFail, scheduler.chance(5) { return .unknown(reason: "taken, answer lost", after: nil) }
        return .answered(outcomes)
    }
}

/// Appends to a segment and puts the booked places together at the end, as a file does.
struct PlacingSink: AssemblingSink {
    let world: SinkWorld
    let segment: String
    let faults: Bool

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let scheduler = world.scheduler
        do { try await scheduler.step("append \(request.chunk.path) \(request.positions)") } catch {
            return .unknown(reason: "crashed", after: nil)
        }
        let mayFail = faults && !scheduler.isDraining
        let ids = world.ids(request)
        let offset = world.state.withLock { state in
            scheduler.touch()
            state.delivered.insert(request.chunk)
            defer { state.segments[segment, default: []] += ids }
            return state.segments[segment, default: []].count
        }
        if mayFail, scheduler.chance(8) { return .unknown(reason: "written, answer lost", after: nil) }
        world.state.withLock { $0.held.formUnion(ids) }
        let place = SinkPlace(segment: segment, offset: offset, length: ids.count)
        return .answered(ids.map { _ in .completed }, place: place)
    }

    func assemble(_ spans: SpanSource) async throws(SinkError) -> AssembledOutput {
        var output: [String] = []
        while true {
            let some = try await spans()
            if some.isEmpty { break }
            world.state.withLock { state in
                for span in some {
                    let lines = Array(
                        (state.segments[span.place.segment] ?? [])[
                            span.place.offset..<span.place.offset + span.place.length
                        ]
                    )
                    output += span.lines.map { $0.map { lines[$0] } } ?? lines
                }
            }
        }
        let made = output
        world.state.withLock { $0.output = made }
        return AssembledOutput(records: made.count, bytes: 0)
    }

    func discardPlaces() async throws(SinkError) {}
}
