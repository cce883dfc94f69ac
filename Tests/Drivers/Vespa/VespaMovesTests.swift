// Everything moves exactly, whatever the server does on the way.
import SluiceCore
import SluiceStandIns
import Testing
import VespaDriver

@Suite("Visits under fire", .timeLimit(.minutes(10)))
struct VespaMovesTests {
    private static let faults: [(weight: Int, fault: VespaFault)] = [
        (1, .connection(.reset)), (1, .connection(.hangUp)), (2, .connection(.cut(afterBytes: 3000))),
        (1, .connection(.resetAfter(bytes: 3000))), (1, .connection(.stall(.milliseconds(1)))), (1, .status(429)),
        (1, .status(503, retryAfter: "0")), (1, .status(504)), (1, .status(500)), (1, .status(507)),
        (2, .message(afterBuckets: 2)), (1, .messageAlone), (1, .emptyPage), (1, .shortPage),
        (1, .longPage(buckets: 30)), (1, .sameToken), (1, .repeatedToken), (2, .halfLine(afterBuckets: 2)),
        (2, .noLastContinuation(afterBuckets: 2)), (2, .unfinished(afterBuckets: 2)), (2, .badLine(afterBuckets: 2)),
        (1, .remarks), (1, .asJSON),
    ]

    @Test("eight slices give every document, and each once", arguments: Form.allCases, 1...6)
    func exactly(form: Form, seed: Int) async throws {
        let faults = VespaStandIn.Faults(
            chance: .init(rate: 0.5, faults: Self.faults, seed: UInt64(seed))
        )
        try await visiting(version: form.version, faults: faults) { source, standIn in
            let ids = try await source.drainAll(slices: 8)
            // What breaks off is dropped to the last continuation, and that lies between buckets: nothing comes twice.
            #expect(ids.count == libraryIDs.count)
            #expect(Set(ids) == libraryIDs)
            #expect(standIn.faults.struck.values.reduce(0, +) > 5)
        }
    }
}
