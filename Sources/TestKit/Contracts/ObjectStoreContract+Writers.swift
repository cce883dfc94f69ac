// What object stores promise about objects that are written in parts.
import SluiceCore

extension ObjectStoreContract {
    static let writerCases: [ContractCase<Harness>] = [
        ContractCase("an object written in parts is there once it is finished, and not before", finished),
        ContractCase("an object without parts is empty", withoutParts),
        ContractCase("an object that is replaced in parts stays what it was until then", replaced),
        ContractCase("what was abandoned is not there", abandoned),
        ContractCase("what was dropped without finishing is not there", dropped),
        ContractCase("two writers of different keys do not meet", twoWriters),
        ContractCase("of two writers of one key, the one that finishes last stays, whole", sameKey),
    ]

    static func finished(_ harness: Harness) async throws {
        let writer = try await harness.store.write("a/b")
        var wanted: [UInt8] = []
        for number in 0..<40 {
            let part = Array(repeating: UInt8(number), count: number * 1000)
            try await writer.append(part)
            wanted += part
        }
        try expect(try await harness.store.size(of: "a/b"), equals: nil, "the size of an unfinished object")
        try await expect(.notFound, from: "reading an unfinished object") { _ = try await harness.text("a/b") }
        try expect(try await harness.keys(""), equals: [], "the keys while an object is unfinished")
        try await writer.finish()
        let read = try await harness.store.read("a/b", range: nil)
        try expect(read == wanted, "an object of \(wanted.count) bytes came back as \(read.count) others")
        try expect(try await harness.keys(""), equals: ["a/b"], "the keys")
    }

    static func withoutParts(_ harness: Harness) async throws {
        let writer = try await harness.store.write("a")
        try await writer.append([])
        try await writer.finish()
        try expect(try await harness.store.size(of: "a"), equals: 0, "the size")
        try expect(try await harness.text("a"), equals: "", "the object")
    }

    static func replaced(_ harness: Harness) async throws {
        try await harness.put("the old one", at: "a")
        let writer = try await harness.store.write("a")
        try await writer.append(Array("new".utf8))
        try expect(try await harness.text("a"), equals: "the old one", "the object before the end")
        try await writer.finish()
        try expect(try await harness.text("a"), equals: "new", "the object after the end")
    }

    static func abandoned(_ harness: Harness) async throws {
        try await harness.put("the old one", at: "a")
        for key in ["a", "b/c"] {
            let writer = try await harness.store.write(key)
            try await writer.append(Array("new".utf8))
            await writer.abandon()
        }
        try expect(try await harness.keys(""), equals: ["a"], "the keys")
        try expect(try await harness.text("a"), equals: "the old one", "the object that was there")
    }

    static func dropped(_ harness: Harness) async throws {
        func begin() async throws {
            let writer = try await harness.store.write("a")
            try await writer.append(Array("new".utf8))
        }
        try await begin()
        try expect(try await harness.keys(""), equals: [], "the keys")
        try await harness.put("other", at: "a", onlyIfAbsent: true)
        try expect(try await harness.text("a"), equals: "other", "the object put afterwards")
    }

    static func twoWriters(_ harness: Harness) async throws {
        let first = try await harness.store.write("a/1")
        let second = try await harness.store.write("a/2")
        for number in 0..<3 {
            try await first.append(Array("a\(number)".utf8))
            try await second.append(Array("b\(number)".utf8))
        }
        try await second.finish()
        try await first.finish()
        try expect(try await harness.text("a/1"), equals: "a0a1a2", "the first object")
        try expect(try await harness.text("a/2"), equals: "b0b1b2", "the second object")
    }

    static func sameKey(_ harness: Harness) async throws {
        let first = try await harness.store.write("a")
        let second = try await harness.store.write("a")
        try await first.append(Array("first".utf8))
        try await second.append(Array("second ".utf8))
        try await first.append(Array(" and more".utf8))
        try await second.append(Array("too".utf8))
        try await first.finish()
        try expect(try await harness.text("a"), equals: "first and more", "what the first has finished")
        try await second.finish()
        try expect(try await harness.text("a"), equals: "second too", "what the second has finished")
    }
}
