// Tries the plan of faults: scripts, chance, and that a run can be repeated.
import SluiceStandIns
import Testing

@Suite("Faults of requests")
struct RequestFaultsTests {
    enum Kind: String {
        case read, write
    }

    typealias Plan = RequestFaults<Kind, ConnectionFault>

    @Test("a scripted fault strikes the requests it is meant for, and no other")
    func script() {
        let plan = Plan()
        plan.script(.reset, at: 2, of: .write)
        plan.script(.hangUp, next: 2, of: .read)
        #expect((1...3).map { _ in plan.strike(.write) } == [nil, .reset, nil])
        #expect((1...3).map { _ in plan.strike(.read) } == [.hangUp, .hangUp, nil])
        plan.script(.cut(afterBytes: 3), of: .read)
        #expect(plan.strike(.read) == .cut(afterBytes: 3))
        #expect(plan.requests == [.write: 3, .read: 4])
        #expect(plan.struck == ["reset": 1, "hang up": 2, "cut": 1])
    }

    @Test("scripts for the next requests queue up")
    func queue() {
        let plan = Plan()
        plan.script(.reset, of: .read)
        plan.script(.hangUp, of: .read)
        #expect((1...3).map { _ in plan.strike(.read) } == [.reset, .hangUp, nil])
    }

    @Test("a standing fault strikes until it is lifted")
    func standing() {
        let plan = Plan()
        plan.stand(.reset, for: .read)
        #expect((1...3).map { _ in plan.strike(.read) } == [.reset, .reset, .reset])
        plan.stand(nil, for: .read)
        #expect(plan.strike(.read) == nil)
    }

    @Test("chance strikes about as often as asked, by weight, and the same in every run")
    func chance() {
        func run(seed: UInt64) -> [ConnectionFault?] {
            let chance = Plan.Chance(rate: 0.1, faults: [(3, .reset), (1, .hangUp)], seed: seed)
            let plan = Plan(chance: chance)
            return (0..<10_000).map { _ in plan.strike(.write) }
        }
        let first = run(seed: 7)
        #expect(first == run(seed: 7))
        #expect(first != run(seed: 8))
        let resets = first.count { $0 == .reset }
        let hangUps = first.count { $0 == .hangUp }
        #expect((900...1100).contains(resets + hangUps))
        #expect((2.5...3.5).contains(Double(resets) / Double(hangUps)))
    }

    @Test("what the n-th request of a kind gets does not depend on requests of other kinds")
    func independence() {
        let chance = Plan.Chance(rate: 0.5, faults: [(1, .reset)], seed: 1)
        let alone = Plan(chance: chance)
        let mixed = Plan(chance: chance)
        for _ in 0..<100 {
            _ = mixed.strike(.read)
            #expect(mixed.strike(.write) == alone.strike(.write))
        }
    }

    @Test("chance keeps to the kinds it is for, and can be taken back", arguments: [0.0, 1])
    func kinds(rate: Double) {
        let plan = Plan(chance: .init(rate: rate, faults: [(1, .reset)], kinds: [.write], seed: 1))
        #expect(plan.strike(.read) == nil)
        #expect(plan.strike(.write) == (rate == 1 ? .reset : nil))
        plan.setChance(nil)
        #expect(plan.strike(.write) == nil)
    }
}
