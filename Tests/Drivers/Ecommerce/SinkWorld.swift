// A sink and the stand-in that it delivers to.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization

@testable import EcommerceDriver

/// One sink, its server, and what the sink had to report.
struct SinkWorld: Sendable {
    static let index = "shop 1/ü"

    let standIn: EcommerceStandIn
    let sink: EcommerceSink
    let notices: Notices

    /// What the sink reported.
    final class Notices: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    /// Runs the body with a sink whose server runs.
    static func run(
        _ options: EcommerceOptions = EcommerceOptions(),
        type: Job.ReindexType = .post,
        key: String? = nil,
        header: EcommerceKey.Header = .bearer,
        http: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = ManualClock(),
        _ body: (SinkWorld) async throws -> Void
    ) async throws {
        let standIn = EcommerceStandIn(options, clock: clock)
        try await withServer(standIn) { url async throws in
            let notices = Notices()
            let sink = try EcommerceSink(
                url: EcommerceURL("ecommerce+\(url)", field: "sink"),
                index: index,
                type: type,
                key: try key.map { text throws(JobError) in try EcommerceKey(text, field: "key") },
                header: header,
                options: http,
                clock: clock,
                notice: { notices.add($0) }
            )
            do {
                try await body(SinkWorld(standIn: standIn, sink: sink, notices: notices))
            } catch {
                await sink.peer.shutdown()
                throw error
            }
            await sink.peer.shutdown()
        }
    }

    func deliver(_ records: [String]) async throws -> DeliveryAnswer {
        await sink.deliver(try Self.request(records))
    }

    /// Delivers, and asks how it ended.
    func settle(_ records: [String]) async throws -> Confirmation {
        guard case .accepted(let receipt) = try await deliver(records) else {
            throw ContractFailure("the delivery was not accepted")
        }
        return try await confirm(receipt, records)
    }

    func confirm(_ receipt: String, _ records: [String]) async throws -> Confirmation {
        let request = try Self.request(records)
        let question = ConfirmationRequest(chunk: request.chunk, positions: request.positions) { request.records }
        return await sink.confirm(receipt, for: question)
    }

    /// A request for all records of a chunk; the ids are read from the records.
    static func request(_ records: [String], positions: [Int]? = nil) throws -> DeliveryRequest {
        let chunk = ChunkID(
            job: JobID(now: ManualClock().now, random: SeededRandomSource(seed: 1)),
            slice: 0,
            page: 0,
            epoch: 1,
            number: 0
        )
        let ids = try records.map { try JSONValue.parse($0)["_id"] ?? .null }
        let header: JSONValue = ["ids": .array(ids)]
        let content = header.bytes() + Array("\n".utf8) + records.flatMap { Array(($0 + "\n").utf8) }
        let all = try ChunkRecords(bytes: content, count: records.count)
        return DeliveryRequest(chunk: chunk, positions: positions ?? Array(records.indices), records: all)
    }

    /// Records of these ids.
    static func records(_ ids: String...) -> [String] {
        ids.map { #"{"_id":"\#($0)","title":"t"}"# }
    }
}

extension DeliveryAnswer {
    /// The kind of the answer, its reason, and when to come again.
    var told: (kind: String, reason: String, after: Duration?) {
        switch self {
        case .answered: ("answered", "", nil)
        case .accepted(let receipt): ("accepted", receipt, nil)
        case .refused(let reason): ("refused", reason, nil)
        case .overloaded(let reason, let after): ("overloaded", reason, after)
        case .unknown(let reason, let after): ("unknown", reason, after)
        case .halted(let reason): ("halted", reason, nil)
        }
    }
}

extension Confirmation {
    var told: (kind: String, reason: String, after: Duration?) {
        switch self {
        case .open: ("open", "", nil)
        case .ended: ("ended", "", nil)
        case .failed(let reason): ("failed", reason, nil)
        case .undetermined(let reason): ("undetermined", reason, nil)
        case .forgotten: ("forgotten", "", nil)
        case .overloaded(let reason, let after): ("overloaded", reason, after)
        case .unknown(let reason, let after): ("unknown", reason, after)
        case .halted(let reason): ("halted", reason, nil)
        }
    }

    /// `c`, `r` or `t` (to be tried again) for each record.
    var letters: String? {
        guard case .ended(let outcomes) = self else { return nil }
        return outcomes.letters
    }
}

extension [RecordOutcome] {
    var letters: String {
        map { outcome in
            switch outcome {
            case .completed: "c"
            case .refused: "r"
            case .retry: "t"
            }
        }.joined()
    }
}
