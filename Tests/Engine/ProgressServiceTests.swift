// When the progress service books what has come, and when it lets more come first.
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The progress service", .timeLimit(.minutes(10)))
struct ProgressServiceTests {
    @Test(
        "lets events gather after many, and asks for the next at once after a few or a full batch",
        arguments: [(1, 0), (7, 0), (8, 20), (99, 20), (100, 0)]
    )
    func gathers(count: Int, milliseconds: Int64) async throws {
        let clock = SkippingClock()
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: clock)
        try await world.extract()
        try await world.steps.replay()
        let progress = world.context.backend.queues.progress
        let events = try await progress.receive(limit: 100, invisible: .seconds(60), wait: .zero)
        try await progress.delete(events.map(\.receipt))
        // The same event again and again, as queues may bring it.
        let event = try #require(events.first)
        for start in stride(from: 0, to: count, by: 10) {
            let copies = Array(repeating: OutgoingMessage(body: event.body), count: min(10, count - start))
            try await progress.send(copies)
        }

        let receives = Mutex<[Timestamp]>([])
        let stop = StopSignal()
        let context = world.context.hooked(progress: { (call, _) throws(PortError) in
            guard call == "receive" else { return }
            let isSecond = receives.withLock { receives in
                receives.append(clock.now)
                return receives.count == 2
            }
            if isSecond { stop.stop() }
        })
        let service = ProgressService(
            context: context,
            booker: Booker(context: context),
            janitor: PayloadJanitor(context),
            stop: stop,
            booked: { _, _ in }
        )
        try await service.run()
        let times = receives.withLock { $0 }
        try #require(times.count == 2)
        #expect(times[0].duration(to: times[1]) == .milliseconds(milliseconds))
        #expect(try await progress.depth().total == 0)
        let balance = try await JobStore(context).balance(of: world.job.id)
        #expect(balance.completed + balance.deadLettered + balance.failed > 0, "nothing was booked")
    }
}
