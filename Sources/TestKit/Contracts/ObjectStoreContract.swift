// What every object store promises: the harness and the cases.
public import SluiceCore

/// The promises of `ObjectStore`.
///
/// Each case wants a fresh, empty store. Not tested, because a store on a file system can't promise it: an object
/// under a key that is at the same time a folder of another (`a` beside `a/b`), and keys that differ only in case.
public enum ObjectStoreContract {
    /// The store under test, and its time.
    public struct Harness: Sendable {
        public let store: any ObjectStore
        public let time: ContractTime

        public init(store: any ObjectStore, time: ContractTime) {
            self.store = store
            self.time = time
        }

        func put(_ text: String, at key: String, onlyIfAbsent: Bool = false) async throws {
            try await store.put(Array(text.utf8), at: key, onlyIfAbsent: onlyIfAbsent)
        }

        func text(_ key: String, _ range: Range<Int>? = nil) async throws -> String {
            String(decoding: try await store.read(key, range: range), as: UTF8.self)
        }

        /// All pages of a list.
        func keys(_ prefix: String, limit: Int = 1000) async throws -> [String] {
            var keys: [String] = []
            while keys.count < 10_000 {
                let page = try await store.list(prefix: prefix, after: keys.last, limit: limit)
                try expect(page.count <= limit, "\(page.count) keys in a page of \(limit)")
                if page.isEmpty { return keys }
                keys += page.map(\.key)
            }
            throw ContractFailure("a list has no end")
        }
    }

    public static let cases = objectCases + listCases + writerCases

    static let objectCases: [ContractCase<Harness>] = [
        ContractCase("an object is read back byte for byte, empty or large", putAndRead),
        ContractCase("an object that nobody has put is not found and has no size", absent),
        ContractCase("a range is cut at the object's end", ranges),
        ContractCase("a put replaces the whole object", overwrites),
        ContractCase("a put only if absent leaves the object that is there", onlyIfAbsent),
        ContractCase("of many puts only if absent, one succeeds", oneWinner),
        ContractCase("readers of an object that is put again and again see it whole", wholeWhileWritten),
        ContractCase("deleted objects are gone, and absent keys are no error", deletes),
        ContractCase("a key that is not one is refused, and nothing is stored", badKeys),
        ContractCase("a key may be long and have any letters", goodKeys),
    ]

    static let listCases: [ContractCase<Harness>] = [
        ContractCase("a list brings keys and sizes in the order of the keys' bytes", lists),
        ContractCase("a prefix means the bytes of the key, not its folders", prefixes),
        ContractCase("pages of any size bring every key once", pages),
        ContractCase("a list goes on after a key that is gone or never was", listAfter),
    ]

    static func putAndRead(_ harness: Harness) async throws {
        let bodies: [[UInt8]] = [[], [0], Array(0...255), (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }]
        for (number, body) in bodies.enumerated() {
            try await harness.store.put(body, at: "a/b/\(number).bin", onlyIfAbsent: false)
        }
        for (number, body) in bodies.enumerated() {
            let read = try await harness.store.read("a/b/\(number).bin", range: nil)
            try expect(read == body, "an object of \(body.count) bytes came back as \(read.count) others")
            let size = try await harness.store.size(of: "a/b/\(number).bin")
            try expect(size, equals: body.count, "the size")
        }
    }

    static func absent(_ harness: Harness) async throws {
        try await harness.put("x", at: "a/b")
        for key in ["none", "a/c", "a/b/c", "a"] {
            try await expect(.notFound, from: "reading \(key)") { _ = try await harness.text(key) }
            try await expect(.notFound, from: "reading a part of \(key)") { _ = try await harness.text(key, 0..<1) }
            try expect(try await harness.store.size(of: key), equals: nil, "the size of \(key)")
        }
    }

    static func ranges(_ harness: Harness) async throws {
        try await harness.put("0123456789", at: "a")
        let wanted: [(Range<Int>, String)] = [
            (0..<10, "0123456789"), (0..<1, "0"), (3..<7, "3456"), (9..<10, "9"), (8..<100, "89"),
            (0..<100, "0123456789"),
            (4..<4, ""), (10..<20, ""), (50..<60, ""),
        ]
        for (range, text) in wanted { try expect(try await harness.text("a", range), equals: text, "bytes \(range)") }
    }

    static func overwrites(_ harness: Harness) async throws {
        try await harness.put("a long text", at: "a")
        try await harness.put("short", at: "a")
        try expect(try await harness.text("a"), equals: "short", "the object")
        try expect(try await harness.store.size(of: "a"), equals: 5, "the size")
    }

    static func onlyIfAbsent(_ harness: Harness) async throws {
        try await harness.put("first", at: "a", onlyIfAbsent: true)
        try await expect(.conditionFailed, from: "the second put") {
            try await harness.put("second", at: "a", onlyIfAbsent: true)
        }
        try expect(try await harness.text("a"), equals: "first", "the object")
        try await harness.store.delete(["a"])
        try await harness.put("third", at: "a", onlyIfAbsent: true)
        try expect(try await harness.text("a"), equals: "third", "the object put after a delete")
    }

    static func oneWinner(_ harness: Harness) async throws {
        let winners = try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<20 {
                group.addTask {
                    do {
                        try await harness.put("\(number)", at: "a", onlyIfAbsent: true)
                        return ["\(number)"]
                    } catch let error as PortError where error.code == .conditionFailed {
                        return []
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try expect(winners.count, equals: 1, "how many of twenty puts succeeded")
        try expect(try await harness.text("a"), equals: winners.first ?? "", "whose object is kept")
    }

    static func wholeWhileWritten(_ harness: Harness) async throws {
        let small = Array(repeating: UInt8(1), count: 1000), large = Array(repeating: UInt8(2), count: 200_000)
        try await harness.store.put(small, at: "a", onlyIfAbsent: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<20 {
                    try await harness.store.put(large, at: "a", onlyIfAbsent: false)
                    try await harness.store.put(small, at: "a", onlyIfAbsent: false)
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<20 {
                        let read = try await harness.store.read("a", range: nil)
                        try expect(read == small || read == large, "\(read.count) bytes are neither of two objects")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    static func deletes(_ harness: Harness) async throws {
        for key in ["a/1", "a/2", "a/3"] { try await harness.put(key, at: key) }
        try await harness.store.delete(["a/1", "never", "a/3"])
        try expect(try await harness.keys(""), equals: ["a/2"], "what is left")
        try await expect(.notFound, from: "reading a deleted object") { _ = try await harness.text("a/1") }
        try await harness.store.delete([])
        try await harness.store.delete(["a/2"])
        try expect(try await harness.keys(""), equals: [], "what is left")
        try await harness.put("again", at: "a/1")
        try expect(try await harness.text("a/1"), equals: "again", "an object put again")
    }

    static func badKeys(_ harness: Harness) async throws {
        let keys = [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "../a", "./a", "a/../b", "a/./b",
            String(repeating: "abcdefg/", count: 128) + "h",
        ]
        for key in keys {
            try await expect(.invalidRequest, from: "putting \"\(key)\"") { try await harness.put("x", at: key) }
            try await expect(.invalidRequest, from: "writing \"\(key)\"") {
                let writer = try await harness.store.write(key)
                await writer.abandon()
            }
        }
        try expect(try await harness.keys(""), equals: [], "what was stored")
    }

    static func goodKeys(_ harness: Harness) async throws {
        let keys = [
            "z", "...", "a/.b", "a/..b", "a b", "a%2Fb", "50%", "a+b", "a#b?c=d&e", "a\\b", "a:b", "日本/語", "-", "~",
            "*",
            "a'\"b", String(repeating: "abcdefg/", count: 127) + "hijklmno",
        ]
        for key in keys { try await harness.put(key, at: key) }
        for key in keys { try expect(try await harness.text(key), equals: key, "what is under \(key)") }
        try expect(Set(try await harness.keys("")), equals: Set(keys), "the keys of the list")
    }

    static func lists(_ harness: Harness) async throws {
        for key in ["b", "a/2", "a/10", "a-1", "Z", "\u{E9}", "z", "a.b"] { try await harness.put(key, at: key) }
        let page = try await harness.store.list(prefix: "", after: nil, limit: 100)
        let wanted = ["Z", "a-1", "a.b", "a/10", "a/2", "b", "z", "\u{E9}"]
        try expect(page.map(\.key), equals: wanted, "the keys")
        try expect(page.map(\.bytes), equals: wanted.map(\.utf8.count), "the sizes")
    }

    static func prefixes(_ harness: Harness) async throws {
        for key in ["a/1", "a/2", "ab", "abc/3", "b/a/1", "a%/1"] { try await harness.put("x", at: key) }
        let wanted: [(String, [String])] = [
            ("a/", ["a/1", "a/2"]), ("a", ["a%/1", "a/1", "a/2", "ab", "abc/3"]), ("a/1", ["a/1"]),
            ("ab", ["ab", "abc/3"]),
            ("none", []), ("a%", ["a%/1"]), ("b/", ["b/a/1"]), ("b/a/1/", []),
        ]
        for (prefix, keys) in wanted { try expect(try await harness.keys(prefix), equals: keys, "prefix \(prefix)") }
    }

    static func pages(_ harness: Harness) async throws {
        let keys = (100..<130).map { "x/\($0 % 7)/\($0)" }
        for key in keys + ["w", "y"] { try await harness.put("x", at: key) }
        for limit in [1, 2, 7, 30, 31] {
            try expect(try await harness.keys("x/", limit: limit), equals: keys.sorted(), "pages of \(limit)")
        }
    }

    static func listAfter(_ harness: Harness) async throws {
        for key in ["a", "b", "c", "d"] { try await harness.put("x", at: key) }
        try await harness.store.delete(["b"])
        for after in ["b", "aa", "a"] {
            let page = try await harness.store.list(prefix: "", after: after, limit: 10)
            try expect(page.map(\.key), equals: ["c", "d"], "what follows \(after)")
        }
    }
}
