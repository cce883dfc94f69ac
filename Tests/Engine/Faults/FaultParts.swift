// A source that always says the same, sinks whose n-th call fails, and a clock on which nobody waits.
import SluiceCore
import SluiceTestKit
import Synchronization

@testable import SluiceEngine

/// Three pages of four records in each slice; the last record of every page is one that `PlainTransform` skips.
struct FixedSource: RecordSource {
    private static let slices = 2
    private static let pages = 3

    static let records = slices * pages * 4
    static let skipped = slices * pages
    /// The ids that are to reach the sink.
    static let delivered = Set(
        (0..<slices).flatMap { slice in (0..<pages).flatMap { page in (0..<3).map { "d\(slice).\(page).\($0)" } } }
    )

    func describe() async throws(SourceError) -> SourceDescription { SourceDescription(fingerprint: "fixed") }

    func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        page.reset()
        let number = request.continuation.flatMap { Int($0.text) } ?? 0
        for index in 0..<4 {
            let start = page.bytes.count
            page.bytes += Array(#"{"_id":"d\#(request.slice).\#(number).\#(index)"}"#.utf8)
            page.records.append(.init(range: start..<page.bytes.count, position: Int64(index)))
        }
        page.bytes += Array(repeating: 0, count: SourcePage.padding)
        page.next = number + 1 < Self.pages ? Continuation("\(number + 1)") : nil
    }

    func locate(_ positions: [Int64]) async -> [String?] { positions.map { "record \($0)" } }
}

struct FaultParts: JobParts {
    let sinks: FaultSinks

    func source(for job: Job) throws(JobError) -> any RecordSource { FixedSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sinks.sink }
    func destination(of job: Job) -> String? { job.sink }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { true }
}

/// Which call of a sink fails, and whether it had been done.
final class SinkFault: Sendable {
    private let number: Int
    private let moment: FaultPlan.Moment
    private let calls = Mutex(0)

    init(number: Int, moment: FaultPlan.Moment) {
        self.number = number
        self.moment = moment
    }

    var hasStruck: Bool { calls.withLock { $0 >= number } }

    /// How this call fails, if it is the one.
    func strike() -> FaultPlan.Moment? {
        calls.withLock { calls in
            calls += 1
            return calls == number ? moment : nil
        }
    }
}

/// What reached the sinks, and the sink of the kind that is asked for.
final class FaultSinks: Sendable {
    enum Kind: Sendable { case prompt, later, placing }

    private struct State {
        var held: Set<String> = []
        var receipts: [String: [String]] = [:]
        var segment: [String] = []
        var output: [String] = []
    }

    private let kind: Kind
    private let fault: SinkFault?
    private let state = Mutex(State())

    init(kind: Kind, fault: SinkFault?) {
        self.kind = kind
        self.fault = fault
    }

    var held: Set<String> { state.withLock { $0.held } }
    var output: [String] { state.withLock { $0.output } }
    /// How often a delivery was accepted.
    var acceptances: Int { state.withLock { $0.receipts.count } }

    var sink: any RecordSink {
        switch kind {
        case .prompt: Prompt(world: self)
        case .later: Later(world: self)
        case .placing: Placing(world: self)
        }
    }

    /// Does something unless it fails before; nil if it failed, or the answer was lost.
    private func call<Answer>(_ body: (inout State) -> Answer) -> Answer? {
        let strike = fault?.strike()
        if strike == .notApplied { return nil }
        let answer = state.withLock { body(&$0) }
        return strike == nil ? answer : nil
    }

    private static func ids(_ request: DeliveryRequest) -> [String] {
        request.positions.map { request.records.id(at: $0) ?? "?" }
    }

    private struct Prompt: RecordSink {
        let world: FaultSinks

        func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
            let ids = FaultSinks.ids(request)
            return world.call { state in
                state.held.formUnion(ids)
                return .answered(ids.map { _ in .completed })
            } ?? .unknown(reason: "by plan", after: nil)
        }
    }

    private struct Later: ConfirmingSink {
        let world: FaultSinks

        func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
            let ids = FaultSinks.ids(request)
            return world.call { state in
                let receipt = "r\(state.receipts.count)"
                state.receipts[receipt] = ids
                return .accepted(receipt: receipt)
            } ?? .unknown(reason: "by plan", after: nil)
        }

        func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation {
            world.call { state in
                guard let ids = state.receipts[receipt] else { return .forgotten }
                state.held.formUnion(ids)
                return .ended(ids.map { _ in .completed })
            } ?? .unknown(reason: "by plan", after: nil)
        }
    }

    private struct Placing: AssemblingSink {
        let world: FaultSinks

        func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
            let ids = FaultSinks.ids(request)
            return world.call { state in
                let place = SinkPlace(segment: "segment", offset: state.segment.count, length: ids.count)
                state.segment += ids
                state.held.formUnion(ids)
                return .answered(ids.map { _ in .completed }, place: place)
            } ?? .unknown(reason: "by plan", after: nil)
        }

        func assemble(_ spans: SpanSource) async throws(SinkError) -> AssembledOutput {
            var all: [BookedSpan] = []
            while case let some = try await spans(), !some.isEmpty { all += some }
            let found = all
            let made = world.call { state in
                state.output = found.flatMap { span in
                    let lines = Array(state.segment[span.place.offset..<span.place.offset + span.place.length])
                    return span.lines.map { $0.map { lines[$0] } } ?? lines
                }
                return AssembledOutput(records: state.output.count, bytes: 0)
            }
            guard let made else { throw .transient("by plan") }
            return made
        }

        func discardPlaces() async throws(SinkError) {
            guard world.call({ $0.segment = [] }) != nil else { throw .transient("by plan") }
        }
    }
}

/// A clock that moves on whenever somebody wants to wait, so that one task can drive everything.
final class SkippingClock: Timekeeping {
    private let time = Mutex(Timestamp(milliseconds: 1_790_000_000_000))

    var now: Timestamp { time.withLock { $0 } }
    var minimumResolution: Duration { .milliseconds(1) }

    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
    }
}
