// The store on S3, with answers that no emulator gives.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import AWSDriver

@Suite("A store on S3", .timeLimit(.minutes(10)))
struct S3StoreTests {
    @Test("503 SlowDown is tried again, and was certainly not done")
    func slowDown() async throws {
        let slow = Answer(503, S3World.error("SlowDown"))
        try await S3World.run(ScriptedStandIn([slow, Answer(200)])) { store, standIn async throws in
            try await store.put([1], at: "a", onlyIfAbsent: false)
            #expect(standIn.asked.count == 2)
        }
        try await S3World.run(ScriptedStandIn([slow])) { store, _ async throws in
            let error = await #expect(throws: PortError.self) {
                try await store.put([1], at: "a", onlyIfAbsent: false)
            }
            #expect(error?.code == .throttled)
        }
    }

    @Test("a put only if absent whose answer was lost is found to be ours, or not", arguments: [true, false])
    func putUnheard(isOurs: Bool) async throws {
        let mark = Mutex("")
        let standIn = ScriptedStandIn { number, asked in
            switch number {
            case 1:
                mark.withLock { $0 = asked.header(S3.markHeader) ?? "" }
                return .fault(.reset)
            case 2: return Answer(412, S3World.error("PreconditionFailed"))
            default: return Answer(200, headers: [(S3.markHeader, isOurs ? mark.withLock { $0 } : "another")])
            }
        }
        try await S3World.run(standIn) { store, standIn async throws in
            if isOurs {
                try await store.put([1], at: "a", onlyIfAbsent: true)
            } else {
                let error = await #expect(throws: PortError.self) {
                    try await store.put([1], at: "a", onlyIfAbsent: true)
                }
                #expect(error?.code == .unavailable)
            }
            #expect(standIn.asked.map(\.method) == ["PUT", "PUT", "HEAD"])
        }
    }

    @Test("a put only if absent that meets another writer is tried again")
    func conflict() async throws {
        let conflict = Answer(409, S3World.error("ConditionalRequestConflict"))
        let taken = Answer(412, S3World.error("PreconditionFailed"))
        try await S3World.run(ScriptedStandIn([conflict, conflict, taken])) { store, standIn async throws in
            let error = await #expect(throws: PortError.self) { try await store.put([1], at: "a", onlyIfAbsent: true) }
            #expect(error?.code == .conditionFailed)
            #expect(standIn.asked.count == 3)
            #expect(standIn.asked.allSatisfy { $0.header("If-None-Match") == "*" })
        }
    }

    @Test("a read that breaks off goes on from there, if the object is the same")
    func resumes() async throws {
        let answers = [
            Answer(200, "0123456789", headers: [("ETag", "\"t\"")], fault: .cut(afterBytes: 4)),
            Answer(206, "456789", headers: [("ETag", "\"t\"")]),
        ]
        try await S3World.run(ScriptedStandIn(answers)) { store, standIn async throws in
            #expect(try await store.read("a", range: nil) == Array("0123456789".utf8))
            #expect(standIn.asked.last?.header("Range") == "bytes=4-")
            #expect(standIn.asked.last?.header("If-Match") == "\"t\"")
        }
    }

    @Test("a read of an object that is replaced on the way begins anew")
    func replaced() async throws {
        let answers = [
            Answer(206, "3456", headers: [("ETag", "\"old\"")], fault: .cut(afterBytes: 2)),
            Answer(412, S3World.error("PreconditionFailed")),
            Answer(206, "wxyz", headers: [("ETag", "\"new\"")]),
        ]
        try await S3World.run(ScriptedStandIn(answers)) { store, standIn async throws in
            #expect(try await store.read("a", range: 3..<7) == Array("wxyz".utf8))
            #expect(standIn.asked.map { $0.header("Range") } == ["bytes=3-6", "bytes=5-6", "bytes=3-6"])
        }
    }

    @Test("a whole object in answer to a range is not taken for the range")
    func rangeIgnored() async throws {
        try await S3World.run(ScriptedStandIn([Answer(200, "0123456789")])) { store, _ async throws in
            await #expect(throws: PortError.self) { _ = try await store.read("a", range: 3..<7) }
        }
    }

    @Test("an endpoint that resets or stalls is tried again", arguments: [ConnectionFault.reset, .stall(nil), .hangUp])
    func brokenEndpoint(fault: ConnectionFault) async throws {
        var http = HTTPOptions()
        // A busy machine may take as long for an answer, and is asked once more then.
        if fault.takesTime { http.stallTimeout = .seconds(10) }
        let standIn = ScriptedStandIn { number, _ in number == 1 ? .fault(fault) : Answer(200, "found") }
        try await S3World.run(standIn, http: http) { store, standIn async throws in
            #expect(try await store.read("a", range: nil) == Array("found".utf8))
            #expect(standIn.asked.count == 2 || fault.takesTime && standIn.asked.count > 2)
        }
    }

    @Test("of many keys those that were not deleted are tried again, and named if they stay")
    func deleteFailures() async throws {
        let failure = { (key: String, code: String) in
            "<Error><Key>\(key)</Key><Code>\(code)</Code><Message>why</Message></Error>"
        }
        let result = { (errors: String) in Answer(200, "<DeleteResult>\(errors)</DeleteResult>") }
        let answers = [result(failure("b&amp;", "InternalError") + failure("c", "NoSuchKey")), result("")]
        try await S3World.run(ScriptedStandIn(answers)) { store, standIn async throws in
            try await store.delete(["a", "b&", "c"])
            #expect(standIn.asked.count == 2)
            #expect(standIn.asked.first?.header("Content-MD5") != nil)
            let again = "<Delete><Quiet>true</Quiet><Object><Key>b&amp;</Key></Object></Delete>"
            #expect(standIn.asked.last?.text == again)
        }
        try await S3World.run(ScriptedStandIn([result(failure("b", "AccessDenied"))])) { store, _ async throws in
            let error = await #expect(throws: PortError.self) { try await store.delete(["a", "b"]) }
            #expect(error?.code == .unauthorized)
            #expect(error?.message.contains("b was not deleted") ?? false)
        }
        try await S3World.run(ScriptedStandIn([Answer(200, S3World.error("InternalError"))])) { store, _ async throws in
            let error = await #expect(throws: PortError.self) { try await store.delete(["a", "b"]) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("keys that XML has no words for are deleted one by one")
    func awkwardDeletes() async throws {
        let standIn = ScriptedStandIn { _, asked in
            asked.method == "POST" ? Answer(200, "<DeleteResult/>") : Answer(204)
        }
        try await S3World.run(standIn) { store, standIn async throws in
            try await store.delete(["a", "b\u{1}", "c"])
            #expect(standIn.asked.map(\.target) == ["/bucket/b%01", "/bucket?delete="])
        }
    }

    @Test("a list is read by pages, and its keys as they are")
    func lists() async throws {
        let object = { (key: String) in "<Contents><Key>\(key)</Key><Size>7</Size></Contents>" }
        let first = "<IsTruncated>true</IsTruncated><NextContinuationToken>t=1</NextContinuationToken>"
        let answers = [
            Answer(200, "<ListBucketResult>\(first)\(object("a+b%2B%C3%BC"))</ListBucketResult>"),
            Answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated>\(object("b"))</ListBucketResult>"),
        ]
        try await S3World.run(ScriptedStandIn(answers)) { store, standIn async throws in
            let page = try await store.list(prefix: "x &", after: "k", limit: 1500)
            #expect(page == [ObjectSummary(key: "a b+ü", bytes: 7), ObjectSummary(key: "b", bytes: 7)])
            let query = "/bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=x%20%26&start-after=k"
            #expect(standIn.asked.first?.target == query)
            #expect(standIn.asked.last?.target.contains("continuation-token=t%3D1") ?? false)
        }
        try await S3World.run(ScriptedStandIn([Answer(200, "<Other/>")])) { store, _ async throws in
            await #expect(throws: PortError.self) { _ = try await store.list(prefix: "", after: nil, limit: 1) }
        }
    }

    @Test("the bucket's rules of others stay when ours are set")
    func lifecycle() async throws {
        let other = "<Rule><ID>theirs</ID><Filter><Prefix>a&amp;</Prefix></Filter><Status>Enabled</Status></Rule>"
        let old = "<Rule><ID>sluice-old</ID></Rule>"
        let answers = [
            Answer(200, "<LifecycleConfiguration xmlns=\"x\">\(old)\(other)</LifecycleConfiguration>"), Answer(200),
        ]
        try await S3World.run(ScriptedStandIn(answers)) { store, standIn async throws in
            try await store.setLifecycle([("payloads", "payloads/", 30)])
            let text = try #require(standIn.asked.last?.text)
            #expect(text.contains(other))
            #expect(!text.contains("sluice-old"))
            #expect(text.contains("<DaysAfterInitiation>1</DaysAfterInitiation>"))
            #expect(text.contains("<Prefix>payloads/</Prefix>"))
            #expect(text.contains("<Days>30</Days>"))
        }
    }

    @Test("a bucket of AWS is a host of its own, unless its name has dots")
    func hosts() async throws {
        for (name, wanted) in [
            ("bucket", "https://bucket.s3.eu-west-1.amazonaws.com/a?"),
            ("my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/a?"),
        ] {
            let peer = try HTTPPeer()
            let client = AWSClient(
                .s3,
                region: "eu-west-1",
                endpoint: try AWSEndpoint.regional(.s3, "eu-west-1"),
                credentials: RenewingCredentials(FixedCredentials(try AWSWorld.credentials()), clock: ManualClock()),
                peer: peer,
                clock: ManualClock()
            )
            var presigner = try await S3(client, bucket: name).presigner(expiry: .seconds(60))
            #expect(presigner.url("a").hasPrefix(wanted))
            await peer.shutdown()
            #expect(throws: AWSProblem.self) { _ = try S3(client, bucket: "evil.com/#") }
        }
    }
}
