// Those who are about to commit wait for each other, but never for nobody and never for long.
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("The rendezvous", .timeLimit(.minutes(10)))
struct RendezvousTests {
    @Test("who is alone goes at once, on a clock that stands still")
    func alone() async {
        let rendezvous = Rendezvous(clock: ManualClock())
        await rendezvous.attend { await rendezvous.meet(atMost: .seconds(3600)) }
    }

    @Test("all who are underway leave together, without the time passing", arguments: [2, 5, 63, 200])
    func together(count: Int) async {
        let rendezvous = Rendezvous(clock: ManualClock())
        await withTaskGroup { group in
            for _ in 0..<count {
                group.addTask { await rendezvous.attend { await rendezvous.meet(atMost: .seconds(3600)) } }
            }
        }
    }

    @Test("who leaves without coming is not waited for")
    func leaving() async {
        let rendezvous = Rendezvous(clock: ManualClock())
        let gate = Bell()
        let clock = ManualClock()
        await withTaskGroup { group in
            group.addTask {
                await rendezvous.attend { await gate.wait(atMost: .seconds(3600), clock: clock) }
            }
            group.addTask {
                await rendezvous.attend {
                    gate.ring()
                    await rendezvous.meet(atMost: .seconds(3600))
                }
            }
        }
    }

    @Test("nobody waits longer than the limit for somebody who does not come")
    func limit() async {
        let rendezvous = Rendezvous(clock: SkippingClock())
        let stays = StopSignal()
        await withTaskGroup { group in
            group.addTask { await rendezvous.attend { await stays.wait() } }
            group.addTask {
                await withTaskGroup { others in
                    for _ in 0..<10 {
                        others.addTask { await rendezvous.attend { await rendezvous.meet(atMost: .milliseconds(5)) } }
                    }
                }
                stays.stop()
            }
        }
    }

    @Test("a task that is cancelled lets its group go")
    func cancelled() async {
        let rendezvous = Rendezvous(clock: ManualClock())
        let stays = StopSignal()
        await withTaskGroup { group in
            group.addTask { await rendezvous.attend { await stays.wait() } }
            group.addTask { await rendezvous.attend { await rendezvous.meet(atMost: .seconds(3600)) } }
            group.cancelAll()
        }
    }
}
