// The feed on streams that split, are trimmed and vanish, and on positions that come back later.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("The change feed on DynamoDB Streams", .serialized, .timeLimit(.minutes(10)))
struct FeedTests {
    private let model = StreamModel()
    private var clock: LeapingClock { model.clock }

    /// Runs the body with feeds of this stream; each has a memory of its own, as after a restart.
    private func run(_ body: (() -> Reader) async throws -> Void) async throws {
        let model = model
        let standIn = ScriptedStandIn { model.answer($1) }
        try await AWSWorld.run(.dynamoDBStreams, standIn, clock: model.clock) { client, _ in
            try await body { Reader(feed: DynamoDBFeed(DynamoDB(client), DynamoDBStreams(client))) }
        }
    }

    /// One reader and how far it is.
    private struct Reader {
        let feed: DynamoDBFeed
        var position = FeedPosition.start

        /// The changes of one page, such as `a1`.
        mutating func page(_ limit: Int = 100, wait: Duration = .zero) async throws -> [String] {
            let page = try await feed.read(StreamModel.schema, from: position, limit: limit, wait: wait)
            #expect(page.changes.count <= limit)
            position = page.next
            return page.changes.map { change in
                guard case .int(let number)? = change.new?["n"] else { return "?" }
                #expect(number == 1 ? change.old == nil : change.old?["n"] == .int(number - 1))
                return "\(change.key.partition)\(number)"
            }
        }

        mutating func all(_ limit: Int = 100) async throws -> [String] {
            var all: [String] = []
            while true {
                let page = try await page(limit)
                if page.isEmpty { return all }
                all += page
            }
        }

        mutating func code() async -> PortError.Code? {
            do {
                _ = try await page()
                return nil
            } catch {
                return (error as? PortError)?.code
            }
        }
    }

    /// Those of one item, in their order.
    private func of(_ key: String, _ changes: [String]) -> [String] { changes.filter { $0.hasPrefix(key) } }

    @Test("a split reorders no item's changes, however small the pages", arguments: [1, 2, 3, 100])
    func split(limit: Int) async throws {
        model.write("a", "b", "c", "d", "a", "b")
        model.split("shard-0")
        model.write("a", "b", "c", "d", "b")
        model.split("shard-1", into: 1)
        model.split("shard-2")
        model.write("a", "b", "c", "d", "d")
        try await run { reader async throws in
            var reader = reader()
            let changes = try await reader.all(limit)
            #expect(changes.count == 16)
            for (key, count) in ["a": 4, "b": 5, "c": 3, "d": 4] {
                #expect(of(key, changes) == (1...count).map { "\(key)\($0)" })
            }
        }
    }

    @Test("a shard that ends while it is read is followed by its children, in this process and in the next")
    func splitMeanwhile() async throws {
        try await run { reader async throws in
            var first = reader()
            model.write("a", "b")
            #expect(try await first.all() == ["a1", "b1"])
            model.split("shard-0")
            model.write("b", "a")
            var second = reader()
            second.position = first.position
            for changes in [try await first.all(), try await second.all()] {
                #expect(changes.sorted() == ["a2", "b2"])
            }
        }
    }

    @Test("shards are listed page by page", arguments: [1, 2, 3])
    func pages(size: Int) async throws {
        model.with { $0.shardsPerPage = size }
        model.split("shard-0", into: 4)
        model.write("a", "b", "c", "d")
        try await run { reader async throws in
            var reader = reader()
            #expect(try await reader.all().sorted() == ["a1", "b1", "c1", "d1"])
        }
        #expect(model.calls("DescribeStream") >= (5 + size - 1) / size)
    }

    @Test("an expired iterator is replaced by one after the last change: nothing is left out, nothing comes twice")
    func expiry() async throws {
        try await run { reader async throws in
            var reader = reader()
            model.write("a", "b", "c")
            #expect(try await reader.page(2) == ["a1", "b1"])
            model.with { $0.generation += 1 }
            model.write("a")
            #expect(try await reader.all() == ["c1", "a2"])
            #expect(model.with { $0.starts } == ["shard-0 TRIM_HORIZON", "shard-0 AFTER_SEQUENCE_NUMBER 114"])
            clock.advance(by: .seconds(15 * 60))
            model.with { $0.generation += 1 }
            let before = model.calls("GetRecords")
            #expect(try await reader.all() == [])
            #expect(model.calls("GetRecords") == before + 1, "an iterator that must have expired is not tried")
        }
    }

    @Test("the latest position is exact in the process that asked for it")
    func latest() async throws {
        try await run { reader async throws in
            model.write("a", "b")
            var reader = reader()
            reader.position = .latest
            #expect(try await reader.page() == [])
            var other = reader
            other.position = .latest
            model.write("c")
            #expect(try await other.page() == [])
            model.write("d")
            #expect(try await reader.all() == ["c1", "d1"])
            #expect(try await other.all() == ["d1"])
        }
    }

    @Test(
        "the latest position leaves nothing out after a restart, a split or an expiry; only what was made just before may come"
    )
    func latestElsewhere() async throws {
        model.write("a", "b", "c", "d")
        clock.advance(by: .seconds(3600))
        model.write("b")
        clock.advance(by: .seconds(60))
        try await run { reader async throws in
            var first = reader()
            first.position = .latest
            #expect(try await first.page() == [])
            model.write("a")
            model.split("shard-0")
            model.write("a", "b")
            var second = reader()
            second.position = first.position
            #expect(try await first.all().sorted() == ["a2", "a3", "b3"])
            let changes = try await second.all(1)
            #expect(of("a", changes) == ["a2", "a3"])
            #expect(of("b", changes) == ["b2", "b3"])
            #expect(changes.count == 4)
        }
    }

    @Test("a position whose next change was trimmed is refused, and the start goes on")
    func trimmed() async throws {
        try await run { reader async throws in
            model.write("a", "b", "c")
            var first = reader()
            #expect(try await first.page(1) == ["a1"])
            clock.advance(by: .seconds(25 * 3600))
            model.write("d")
            model.trim(before: clock.now)
            for var late in [
                first,
                {
                    var late = reader(); late.position = first.position; return late
                }(),
            ] {
                #expect(await late.code() == .notFound)
                late.position = .start
                #expect(try await late.all() == ["d1"])
            }
        }
    }

    @Test("a position of which nobody could say whether changes after it were trimmed is refused")
    func unknown() async throws {
        try await run { reader async throws in
            var first = reader()
            first.position = .latest
            #expect(try await first.page() == [])
            clock.advance(by: .seconds(23 * 3600))
            var second = reader()
            second.position = first.position
            #expect(try await second.all() == [])
            model.write("a")
            clock.advance(by: .seconds(3600))
            #expect(await second.code() == .notFound)
        }
    }

    @Test("a shard that was read to its end and vanished is no loss; one that was not is")
    func vanished() async throws {
        try await run { reader async throws in
            model.write("a", "b")
            var read = reader()
            var unread = reader()
            #expect(try await read.all() == ["a1", "b1"])
            #expect(try await unread.page(1) == ["a1"])
            model.split("shard-0", into: 1)
            for _ in 0..<(25 * 5) {
                #expect(try await read.all() == [])
                clock.advance(by: .seconds(720))
            }
            model.trim(before: clock.now)
            model.write("a")
            #expect(try await read.all() == ["a2"])
            #expect(await unread.code() == .notFound)
        }
    }

    @Test("an idle reader's position stays good while shards wear out and vanish, for the next process too")
    func idle() async throws {
        try await run { reader async throws in
            model.write("a")
            var reader1 = reader()
            #expect(try await reader1.all() == ["a1"])
            for look in 1...(34 * 5) {
                clock.advance(by: .seconds(720))
                if look % 20 == 0 { for id in model.openShards { model.split(id, into: 1) } }
                model.trim(before: clock.now.advanced(by: .seconds(-24 * 3600)))
                #expect(try await reader1.all() == [])
            }
            model.write("a")
            var reader2 = reader()
            reader2.position = reader1.position
            for changes in [try await reader1.all(), try await reader2.all()] { #expect(changes == ["a2"]) }
        }
    }

    @Test("a call without records is not the end of a closed shard")
    func emptyPages() async throws {
        model.with { $0.emptyEvery = 2 }
        model.write("a", "a", "a")
        model.split("shard-0", into: 1)
        model.write("a", "a")
        try await run { reader async throws in
            var reader = reader()
            var changes: [String] = []
            for _ in 0..<4 { changes += try await reader.page(2, wait: .seconds(5)) }
            #expect(changes == ["a1", "a2", "a3", "a4", "a5"])
        }
    }

    @Test("a shard that is listed late is found: a second child, and one that nothing leads to")
    func lateShards() async throws {
        try await run { reader async throws in
            var reader = reader()
            model.write("a", "b")
            #expect(try await reader.all() == ["a1", "b1"])
            model.split("shard-0")
            model.with { $0.shards[2].isListed = false }
            model.write("a", "b")
            #expect(try await reader.all() == ["a2"])
            model.with { state in
                state.shards[2].isListed = true
                state.shards.append(.init(id: "shard-new", parent: "shard-forgotten", keys: ["e"]))
            }
            model.write("e", "a")
            #expect(try await reader.page() == ["a3"])
            clock.advance(by: .seconds(300))
            #expect(try await reader.all().sorted() == ["b2", "e1"])
            #expect(try await reader.all() == [])
        }
    }

    @Test("a waiting read asks a shard about once a second at most, and a busy one no more often")
    func pace() async throws {
        model.split("shard-0", into: 2)
        try await run { reader async throws in
            var reader = reader()
            reader.position = .latest
            _ = try await reader.page()
            var before = model.calls("GetRecords")
            let begin = clock.now
            #expect(try await reader.page(wait: .seconds(120)) == [])
            #expect(begin.duration(to: clock.now) == .seconds(120))
            #expect((220...420).contains(model.calls("GetRecords") - before))
            before = model.calls("GetRecords")
            let model = model
            model.clock.onSleep { model.write("a") }
            let busy = clock.now
            while busy.duration(to: clock.now) < .seconds(60) { _ = try await reader.page(wait: .seconds(20)) }
            model.clock.onSleep(nil)
            #expect(model.calls("GetRecords") - before <= 2 * 105)
        }
        #expect(model.calls("DescribeStream") <= 8)
    }

    @Test(
        "a table that can't be followed is named, and what to do",
        arguments: [nil, "KEYS_ONLY", "NEW_IMAGE", "no table"]
    )
    func unfollowable(view: String?) async throws {
        model.with { state in
            state.view = view
            state.isTableThere = view != "no table"
        }
        try await run { reader async throws in
            let feed = reader().feed
            let error = await #expect(throws: PortError.self) {
                _ = try await feed.read(StreamModel.schema, from: .latest, limit: 1, wait: .zero)
            }
            #expect(error?.code == .invalidRequest)
            #expect(error?.message.contains("table t") == true)
            #expect(error?.message.contains("sluice tables create") == true)
        }
    }

    @Test("a position in a stream that was replaced is refused, and the start goes on in the new one")
    func replaced() async throws {
        try await run { reader async throws in
            model.write("a")
            var reader = reader()
            #expect(try await reader.all() == ["a1"])
            model.with { state in
                state.label = "2026-02-02T00:00:00.000"
                state.shards = [.init(id: "shard-x", parent: nil, keys: ["b"])]
            }
            model.write("b")
            clock.advance(by: .seconds(300))
            #expect(await reader.code() == .notFound)
            reader.position = .start
            #expect(try await reader.all() == ["b1"])
        }
    }

    @Test(
        "what is no position is refused",
        arguments: [
            "", "1", "{}", "[]", "[1]", #"["s",1]"#, #"["s",[]]"#, #"["s",["x"]]"#, #"["s",["x","since","t"]]"#,
            #"["s",["x","after","1","y"]]"#, #"["s",["x","oldest","1"]]"#,
        ]
    )
    func nonsense(text: String) async throws {
        try await run { reader async throws in
            var reader = reader()
            reader.position = .at(text)
            #expect(await reader.code() == .invalidRequest)
        }
    }

    @Test(
        "whatever splits, expires and restarts: every change comes, and each item's in their order",
        arguments: 0..<8
    )
    func chance(seed: UInt64) async throws {
        let random = SeededRandomSource(seed: seed)
        let pick = { (count: Int) in Int(random.next() % UInt64(count)) }
        model.with { state in
            state.shardsPerPage = 1 + pick(4)
            state.emptyEvery = pick(3) == 0 ? 3 : 0
        }
        let keys = ["a", "b", "c", "d"]
        try await run { reader async throws in
            var current = reader()
            var changes: [String] = []
            for _ in 0..<150 {
                switch pick(12) {
                case 0:
                    do {
                        let open = model.openShards
                        if open.count > 4 { continue }
                        model.split(open[pick(open.count)], into: 1 + pick(2))
                    }
                case 1: model.with { $0.generation += 1 }
                case 2:
                    let position = current.position
                    current = reader()
                    current.position = position
                case 3: clock.advance(by: .seconds(pick(1000)))
                case 4...7: for _ in 0...pick(4) { model.write(keys[pick(4)]) }
                default: changes += try await current.page(1 + pick(5), wait: .seconds(pick(2) * 3))
                }
            }
            for _ in 0..<8 { changes += try await current.page(wait: .seconds(3)) }
            for key in keys {
                var seen: Set<String> = []
                let firsts = of(key, changes).filter { seen.insert($0).inserted }
                #expect(firsts == (0..<(model.with { $0.values[key] } ?? 0)).map { "\(key)\($0 + 1)" })
            }
        }
    }
}
