// How fast and how many at once: the values that decide it, under a clock of the test's own.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("The token bucket")
struct TokenBucketTests {
    private let start = Timestamp(milliseconds: 1_790_000_000_000)

    /// Sends deliveries as fast as the bucket lets them for so long; how many records went.
    private func records(_ bucket: inout TokenBucket, each count: Int, for seconds: Int64) -> Int {
        var now = start
        let end = start.advanced(by: .seconds(seconds))
        var sent = 0
        while now < end {
            if let wait = bucket.take(count, now: now) { now = now.advanced(by: wait) } else { sent += count }
        }
        return sent
    }

    @Test("holds the rate over time, whatever a delivery's size", arguments: [1, 7, 100, 1000], [3.0, 50, 1000])
    func rate(count: Int, rate: Double) {
        var bucket = TokenBucket(rate: rate, now: start)
        let sent = Double(records(&bucket, each: count, for: 1000))
        // One second's burst at the beginning, and at most one delivery begun at the end.
        #expect(sent <= rate * 1001 + Double(count))
        #expect(sent >= rate * 1000 - Double(count))
    }

    @Test("saves up no more than a second")
    func burst() {
        var bucket = TokenBucket(rate: 100, now: start)
        let later = start.advanced(by: .seconds(3600))
        #expect(bucket.take(100, now: later) == nil)
        #expect(bucket.take(1, now: later) != nil)
    }

    @Test("a new rate counts from now on, and a debt keeps its length in time")
    func change() {
        var bucket = TokenBucket(rate: 10, now: start)
        #expect(bucket.take(100, now: start) == nil)
        // 90 records are owed, nine seconds; at the new rate the same.
        bucket.change(rate: 1000, now: start)
        let wait = bucket.take(1, now: start)
        #expect(wait.map { (.seconds(9)...(.milliseconds(9002))).contains($0) } == true)
        bucket.change(rate: 1000, now: start)
        #expect(bucket.take(1, now: start.advanced(by: .seconds(10))) == nil)
    }

    @Test(
        "a rate that nobody may ask for, but somebody may have stored, is a long wait",
        arguments: [1e-300, 1e-18, 0, -5]
    )
    func tooLow(rate: Double) throws {
        var bucket = TokenBucket(rate: rate, now: start)
        for _ in 0..<2 {
            #expect(bucket.wait(for: 100, behind: 1_000_000, now: start) <= .seconds(86_400))
            if let wait = bucket.take(100, now: start) { #expect(wait <= .seconds(86_400)) }
        }
        bucket.change(rate: 1000, now: start)
        bucket.change(rate: rate, now: start)
        #expect(bucket.wait(for: 100, behind: 1_000_000, now: start) > .zero)
    }

    @Test("a clock that steps back gives nothing away, and stops nobody for long")
    func clock() throws {
        var bucket = TokenBucket(rate: 10, now: start)
        #expect(bucket.take(10, now: start) == nil)
        let earlier = start.advanced(by: .seconds(-3600))
        let asked = bucket.take(1, now: earlier)
        let wait = try #require(asked)
        #expect(wait <= .milliseconds(101))
        #expect(bucket.take(1, now: earlier.advanced(by: wait)) == nil)
    }
}

@Suite("Waiting for a rate")
struct ThrottleTurnTests {
    @Test("who would wait long is told how long, but for as many as may")
    func join() {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)))
        let throttle = Throttle(world.context)
        throttle.apply(rate: 10, concurrency: nil, share: 1)
        let turns = (0..<4).map { _ in ThrottleTurn(throttle, records: 10) }
        // A second's worth is there, so the first goes at once, the second in one and the third in two.
        #expect(turns.prefix(3).map { $0.begin(chunksMax: 0) } == [nil, nil, nil])
        #expect(turns[3].begin(chunksMax: 0) == .seconds(3))
        #expect(turns[3].begin(chunksMax: 4) == nil)
        for turn in turns { turn.end() }
        // Ending twice is ending once.
        for turn in turns { turn.end() }
        #expect(ThrottleTurn(throttle, records: 10).begin(chunksMax: 0) == nil)
    }

    @Test("so many may wait long in a process, whichever jobs they are of")
    func shared() {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)))
        let longWaits = LongWaits()
        let throttles = (0..<4).map { _ in Throttle(world.context, longWaits) }
        for throttle in throttles { throttle.apply(rate: 1, concurrency: nil, share: 1) }
        let turns = throttles.map { ThrottleTurn($0, records: 100) }
        // The first of each job goes with a full bucket.
        let first = throttles.map { ThrottleTurn($0, records: 100) }
        #expect(first.map { $0.begin(chunksMax: 0) == nil } == [true, true, true, true])
        #expect(turns.map { $0.begin(chunksMax: 2) == nil } == [true, true, false, false])
        turns[0].end()
        turns[0].end()
        #expect(turns[2...].map { $0.begin(chunksMax: 2) == nil } == [true, false])
        for turn in turns + first { turn.end() }
        #expect(turns.map { $0.begin(chunksMax: 4) == nil } == [true, true, true, true])
    }

    @Test("a wait for a place ends when the task is cancelled, and when the limit is raised")
    func place() async throws {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)))
        let throttle = Throttle(world.context)
        throttle.apply(rate: nil, concurrency: 0, share: 1)
        #expect(throttle.limit == 1)
        guard case .go(let number) = throttle.admit(records: 1) else { throw PortError(.invalidRequest, "no place") }

        let cancelled = Task { try await throttle.place(records: 1) }
        cancelled.cancel()
        let error = await #expect(throws: PortError.self) { try await cancelled.value }
        #expect(error?.code == .cancelled)

        let raised = Task { try await throttle.place(records: 1) }
        while throttle.waiters == 0 { await Task.yield() }
        throttle.apply(rate: nil, concurrency: 2, share: 1)
        #expect(try await raised.value == nil)
        guard case .go(let other) = throttle.admit(records: 1) else { throw PortError(.invalidRequest, "no place") }
        throttle.finish(number, .succeeded)
        throttle.finish(other, .succeeded)
    }

    @Test("without a rate nobody waits")
    func unlimited() {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)))
        let throttle = Throttle(world.context)
        throttle.apply(rate: nil, concurrency: nil, share: 1)
        #expect((0..<100).allSatisfy { _ in ThrottleTurn(throttle, records: 1000).begin(chunksMax: 0) == nil })
    }
}

@Suite("The adaptive limit")
struct AdaptiveLimitTests {
    @Test("rises only when its places are used, and never over its maximum")
    func rises() throws {
        var limit = AdaptiveLimit(initial: 4, maximum: 16)
        // One at a time proves nothing.
        for _ in 0..<100 {
            let number = limit.begin()
            limit.end(try #require(number), .succeeded)
        }
        #expect(limit.limit == 4)
        for _ in 0..<100 { try fill(&limit, .succeeded) }
        #expect(limit.limit == 16)
    }

    @Test("falls a little below where overload began, once for all that were under way together")
    func falls() throws {
        var limit = AdaptiveLimit(initial: 20, maximum: 64)
        var numbers: [Int] = []
        while let number = limit.begin() { numbers.append(number) }
        for (place, number) in numbers.enumerated() { limit.end(number, place == 0 ? .overloaded : .succeeded) }
        #expect((17...18).contains(limit.limit), "\(limit.limit)")
    }

    @Test("finds a capacity that has fallen to a tenth within one round trip")
    func fallsFar() throws {
        var limit = AdaptiveLimit(initial: 80, maximum: 128)
        try answer(&limit, capacity: 8)
        #expect((6...8).contains(limit.limit), "\(limit.limit)")
        for _ in 0..<3 { try fill(&limit, .overloaded) }
        #expect(limit.limit == 1)
    }

    @Test("a time-out says nothing of what the destination bears")
    func undecided() throws {
        var limit = AdaptiveLimit(initial: 8, maximum: 64)
        try fill(&limit, .undecided)
        #expect(limit.limit == 8)
    }

    @Test("an operator's limit holds, whatever the answers")
    func fixed() throws {
        var limit = AdaptiveLimit(initial: 4, maximum: 64)
        limit.fixed = 20
        try fill(&limit, .overloaded)
        #expect(limit.limit == 20)
        try fill(&limit, .succeeded)
        #expect(limit.limit == 20)
        limit.fixed = 1
        _ = limit.begin()
        #expect(limit.begin() == nil)
    }

    @Test("uses a destination's capacity, and is hardly ever refused", arguments: [2, 8, 40, 200])
    func converges(capacity: Int) throws {
        var limit = AdaptiveLimit(initial: 4, maximum: 256)
        for _ in 0..<200 { try answer(&limit, capacity: capacity) }
        var taken = 0
        var refused = 0
        for _ in 0..<400 {
            let (some, others) = try answer(&limit, capacity: capacity)
            taken += some
            refused += others
        }
        let used = Double(taken) / Double(400 * capacity)
        #expect(used >= (capacity > 2 ? 0.85 : 0.5), "\(used) of \(capacity)")
        #expect(Double(refused) <= 0.05 * Double(taken + refused), "\(refused) of \(taken + refused)")
    }

    @Test("comes up to ten times the capacity in a hundred round trips, and down at once")
    func changes() throws {
        var limit = AdaptiveLimit(initial: 4, maximum: 256)
        for _ in 0..<200 { try answer(&limit, capacity: 8) }
        var trips = 0
        while limit.limit < 68, trips < 1000 {
            try answer(&limit, capacity: 80)
            trips += 1
        }
        #expect(trips <= 100, "\(trips) round trips")
        for _ in 0..<200 { try answer(&limit, capacity: 80) }
        try answer(&limit, capacity: 8)
        try answer(&limit, capacity: 8)
        #expect((5...8).contains(limit.limit), "\(limit.limit)")
    }

    /// One round trip to a destination that bears so many at once; how many were taken and refused.
    @discardableResult
    private func answer(_ limit: inout AdaptiveLimit, capacity: Int) throws -> (taken: Int, refused: Int) {
        var numbers: [Int] = []
        while let number = limit.begin() { numbers.append(number) }
        // A refusal comes at once, a success after its round trip.
        for number in numbers.dropFirst(capacity) { limit.end(number, .overloaded) }
        for number in numbers.prefix(capacity) { limit.end(number, .succeeded) }
        return (min(numbers.count, capacity), max(0, numbers.count - capacity))
    }

    /// Takes every place and gives all of them back with one outcome.
    private func fill(_ limit: inout AdaptiveLimit, _ outcome: AdaptiveLimit.Outcome) throws {
        var numbers: [Int] = []
        while let number = limit.begin() { numbers.append(number) }
        #expect(numbers.count == limit.limit)
        for number in numbers { limit.end(number, outcome) }
    }
}

@Suite("Backoff and failure budget")
struct LimitTests {
    @Test("waits double up to the bound, and are spread over all of it")
    func backoff() {
        let backoff = Backoff()
        #expect(
            (1...9).map { backoff.bound(afterAttempt: $0) } == [0.5, 1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) }
        )
        let random = SeededRandomSource(seed: 2)
        let waits = (0..<1000).map { _ in backoff.delay(afterAttempt: 3, random: random) }
        #expect(waits.allSatisfy { $0 >= .zero && $0 <= .seconds(2) })
        #expect(waits.contains { $0 < .milliseconds(100) } && waits.contains { $0 > .milliseconds(1900) })
    }

    @Test("a number of dead letters, or a share of what was extracted")
    func budget() throws {
        func sheet(extracted: Int, skipped: Int = 0, dead: Int) -> BalanceSheet {
            var sheet = BalanceSheet()
            sheet.extracted = extracted
            sheet.skipped = skipped
            sheet.refused = dead
            sheet.completed = extracted - skipped - dead
            return sheet
        }
        let some = try FailureBudget("5")
        #expect(!some.isSpent(sheet(extracted: 10, dead: 4)))
        #expect(some.isSpent(sheet(extracted: 10, dead: 5)))
        let share = try FailureBudget("1%")
        // Of a few records one would be many percent.
        #expect(!share.isSpent(sheet(extracted: 999, dead: 500)))
        #expect(!share.isSpent(sheet(extracted: 1000, dead: 9)))
        #expect(share.isSpent(sheet(extracted: 1000, dead: 10)))
        #expect(share.isSpent(sheet(extracted: 2000, skipped: 1000, dead: 10)))
    }

    @Test("anything else is refused by name", arguments: ["", "0", "-1", "0%", "101%", "x", "1.5", "%", "nan%"])
    func badBudget(text: String) {
        let error = #expect(throws: JobError.self) { try FailureBudget(text) }
        #expect(error?.description.contains("failure-budget") == true)
    }
}
