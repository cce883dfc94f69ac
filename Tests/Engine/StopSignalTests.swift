// A stop ends what is under way, and loses nothing that it brought.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("A race with the stop signal", .timeLimit(.minutes(10)))
struct StopSignalTests {
    /// Returns when its task is cancelled, and not before.
    private static func waitForCancellation() async {
        for await _ in AsyncStream<Never>.makeStream().stream {}
    }

    @Test("brings what was found")
    func brings() async throws {
        #expect(try await StopSignal().race { 7 } == 7)
    }

    @Test("brings what was found although the stop came first")
    func bringsLate() async throws {
        let stop = StopSignal()
        let found = try await stop.race {
            stop.stop()
            await Self.waitForCancellation()
            return 7
        }
        #expect(found == 7)
    }

    @Test("brings nothing if the stop came first and what was cancelled gave up")
    func bringsNothing() async throws {
        let stop = StopSignal()
        let found: Int? = try await stop.race {
            stop.stop()
            await Self.waitForCancellation()
            throw PortError(.cancelled, "cancelled")
        }
        #expect(found == nil)
    }

    @Test("fails as what was tried failed")
    func fails() async throws {
        await #expect(throws: PortError.self) {
            try await StopSignal().race { throw PortError(.unavailable, "away") }
        }
    }
}
