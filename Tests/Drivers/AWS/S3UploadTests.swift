// Objects in parts: several at a time, and nothing left of those that fail.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import AWSDriver

@Suite("An upload to S3", .timeLimit(.minutes(10)))
struct S3UploadTests {
    private static let body = Array("aaaaaaaaaabbbbbbbbbbccccccccccddd".utf8)

    @Test("a large object goes in parts and is finished with all their tags in order")
    func parts() async throws {
        try await S3World.run(S3World.upload { _ in nil }) { store, standIn async throws in
            try await store.put(Self.body, at: "a b", onlyIfAbsent: false)
            let operations = S3World.operations(standIn)
            #expect(operations == ["begin", "part", "part", "part", "part", "finish"])
            let parts = standIn.asked.filter { S3World.operation($0) == "part" }
            #expect(Set(parts.map(\.text)) == ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "ddd"])
            #expect(parts.allSatisfy { $0.path == "/bucket/a%20b" && $0.target.contains("uploadId=u%261") })
            let wanted = ["a", "b", "c", "d"].enumerated().map { number, letter in
                "<Part><PartNumber>\(number + 1)</PartNumber><ETag>&quot;tag-\(letter)&quot;</ETag></Part>"
            }
            let finish = standIn.asked.last?.text
            #expect(finish == "<CompleteMultipartUpload>\(wanted.joined())</CompleteMultipartUpload>")
        }
    }

    @Test("a writer begins no upload for what fits into one put")
    func small() async throws {
        try await S3World.run(S3World.upload { _ in nil }) { store, standIn async throws in
            let writer = try await store.write("a")
            try await writer.append(Array("aaaaaaaaaa".utf8))
            try await writer.append(Array("bbb".utf8))
            try await writer.finish()
            #expect(S3World.operations(standIn) == ["put"])
            #expect(standIn.asked.first?.text == "aaaaaaaaaabbb")
        }
    }

    @Test("a writer sends parts while it is written, and what it has begun is given up")
    func abandoned() async throws {
        try await S3World.run(S3World.upload { _ in nil }) { store, standIn async throws in
            let writer = try await store.write("a")
            try await writer.append(Self.body)
            #expect(S3World.operations(standIn) == ["begin", "part", "part", "part"])
            await writer.abandon()
            await writer.abandon()
            #expect(S3World.operations(standIn).filter { $0 != "part" }.suffix(2) == ["abort", "parts"])
            let error = await #expect(throws: PortError.self) { try await writer.append([1]) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test(
        "an interrupted upload leaves no parts",
        arguments: ["begin", "part", "finish"],
        [Answer(403, S3World.error("AccessDenied")), .fault(.reset), Answer(503, S3World.error("SlowDown"))]
    )
    func interrupted(operation: String, answer: Answer) async throws {
        let standIn = S3World.upload { S3World.operation($0) == operation ? answer : nil }
        try await S3World.run(standIn) { store, standIn async throws in
            let error = await #expect(throws: PortError.self) {
                try await store.put(Self.body, at: "a", onlyIfAbsent: false)
            }
            let code: PortError.Code =
                answer.fault != nil ? .unavailable : answer.status == 403 ? .unauthorized : .throttled
            #expect(error?.code == code)
            let operations = S3World.operations(standIn)
            // What never began has no parts; what was finished without an answer may be gone already.
            if operation == "begin" {
                #expect(!operations.contains("part"))
            } else {
                #expect(operations.filter { $0 != "part" }.suffix(2) == ["abort", "parts"])
            }
        }
    }

    @Test("parts that arrive after an upload was given up are removed too")
    func lateParts() async throws {
        let lists = Mutex(0)
        let standIn = S3World.upload { asked in
            switch S3World.operation(asked) {
            case "part": return Answer(403, S3World.error("AccessDenied"))
            case "parts":
                let number = lists.withLock { count in
                    count += 1
                    return count
                }
                return number == 1 ? Answer(200, "<ListPartsResult/>") : nil
            default: return nil
            }
        }
        try await S3World.run(standIn) { store, standIn async throws in
            await #expect(throws: PortError.self) { try await store.put(Self.body, at: "a", onlyIfAbsent: false) }
            #expect(
                S3World.operations(standIn).filter { $0 != "part" }.suffix(4) == ["abort", "parts", "abort", "parts"]
            )
        }
    }

    @Test("a cancelled upload leaves no parts")
    func cancelled() async throws {
        let standIn = S3World.upload { S3World.operation($0) == "part" ? .fault(.stall(nil)) : nil }
        try await S3World.run(standIn) { store, standIn async throws in
            let task = Task { try await store.put(Self.body, at: "a", onlyIfAbsent: false) }
            // Both that may be under way: a connection that the peer is still about to accept outlives it badly.
            while S3World.operations(standIn).count(where: { $0 == "part" }) < 2 { await Task.yield() }
            task.cancel()
            let error = await #expect(throws: PortError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(S3World.operations(standIn).filter { $0 != "part" }.suffix(2) == ["abort", "parts"])
        }
    }

    @Test(
        "an error inside an answer of status 200 is an error, and tried again",
        arguments: ["InternalError", "SlowDown"]
    )
    func errorInside(code: String) async throws {
        let finishes = Mutex(0)
        let standIn = S3World.upload { asked in
            guard S3World.operation(asked) == "finish" else { return nil }
            let number = finishes.withLock { count in
                count += 1
                return count
            }
            return number < 3 ? Answer(200, "\n  \n\(S3World.error(code))") : nil
        }
        try await S3World.run(standIn) { store, standIn async throws in
            try await store.put(Self.body, at: "a", onlyIfAbsent: false)
            #expect(S3World.operations(standIn).suffix(3) == ["finish", "finish", "finish"])
        }
    }

    @Test("an error inside an answer of status 200 that stays leaves open what became of it")
    func lastingErrorInside() async throws {
        let standIn = S3World.upload { asked in
            S3World.operation(asked) == "finish" ? Answer(200, S3World.error("InternalError")) : nil
        }
        try await S3World.run(standIn) { store, _ async throws in
            let error = await #expect(throws: PortError.self) {
                try await store.put(Self.body, at: "a", onlyIfAbsent: false)
            }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("an upload that was finished although no answer came is found to be ours", arguments: [true, false])
    func finishedUnheard(isOurs: Bool) async throws {
        let state = Mutex((finishes: 0, mark: ""))
        let standIn = S3World.upload { asked in
            switch S3World.operation(asked) {
            case "begin":
                state.withLock { $0.mark = asked.header(S3.markHeader) ?? "" }
                return nil
            case "finish":
                let number = state.withLock { state in
                    state.finishes += 1
                    return state.finishes
                }
                return number == 1 ? .fault(.reset) : Answer(404, S3World.error("NoSuchUpload"))
            case "head":
                let mark = isOurs ? state.withLock { $0.mark } : "another"
                return Answer(200, headers: [(S3.markHeader, mark)])
            default: return nil
            }
        }
        try await S3World.run(standIn) { store, _ async throws in
            if isOurs {
                try await store.put(Self.body, at: "a", onlyIfAbsent: false)
            } else {
                let error = await #expect(throws: PortError.self) {
                    try await store.put(Self.body, at: "a", onlyIfAbsent: false)
                }
                #expect(error?.code == .unavailable)
            }
        }
    }
}
