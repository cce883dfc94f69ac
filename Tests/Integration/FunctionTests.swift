// The functions as whole processes: cut off, throttled, without a cluster, told nonsense, and the same thing twice at once.
import Foundation
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Functions on Lambda", .serialized)
    struct FunctionTests {
        private static let documents = 200

        @Test(
            "a job runs by invocations alone, and exactly if each is made twice at the same moment",
            arguments: [1, 2]
        )
        func runs(times: Int) async throws {
            let world = try await FunctionWorld.start(documents: Self.documents, faultRate: 0.03)
            let job = try await world.reindex()
            let extraction = try await world.functions("extraction", times)
            let launched = try await world.invoke(extraction, try await world.insertion(of: job))
            #expect(launched.allSatisfy { $0.again == [] }, "\(launched) \(extraction[0].log)")
            try await world.finish(
                job,
                replay: try await world.functions("replay", times),
                progress: try await world.functions("progress", times)
            )
            try await world.expectArrived(job, documents: Self.documents)
            #expect(try await world.launches() == ["sluice-\(job)-1"])
            try await world.sandbox.expectSoundCloud()
            try world.sandbox.expectNowhere(Cloud.secret)
        }

        enum Interruption: CaseIterable { case frozen, killed, told, slow }

        @Test("a function that is cut off in the middle of a chunk loses nothing", arguments: Interruption.allCases)
        func cutOff(how: Interruption) async throws {
            let world = try await FunctionWorld.start(documents: Self.documents)
            let job = try await world.reindex()
            try await world.extract(job, by: try await world.function("extraction"), documents: Self.documents)
            let ecommerce = world.world.services.ecommerce
            try await ecommerce.freeze()
            let replay = try await world.function("replay", seconds: 5)
            async let handed = world.hand("replay", to: [replay])
            try await eventually("a delivery") { try world.world.services.isEcommerceInUse() ? () : nil }
            let process = try #require(replay.process)
            switch how {
            case .frozen: kill(process, SIGSTOP)
            case .killed: kill(process, SIGKILL)
            case .told: kill(process, SIGTERM)
            case .slow: break
            }
            let answer = try #require(try await handed.first)
            ecommerce.thaw()
            switch how {
            case .frozen: #expect(answer.text.contains("timed out after 5"), "\(answer) \(replay.log)")
            case .killed: #expect(answer.error?.contains("killed") == true, "\(answer) \(replay.log)")
            case .told: #expect(replay.log.contains("exit status 0"), "\(answer) \(replay.log)")
            case .slow: #expect(answer.again == [] && replay.process == process, "\(answer) \(replay.log)")
            }
            try await world.finish(job, replay: [replay], progress: [try await world.function("progress")])
            try await world.expectArrived(job, documents: Self.documents)
            try await world.sandbox.expectSoundCloud()
        }

        @Test("tables that throttle make a job slower, and nothing else")
        func throttled() async throws {
            let plain = try Sandbox()
            let world = try await FunctionWorld.start(documents: Self.documents) { cloud in
                let proxy = try await ServingScript.start(["emulator.py", "--faults", cloud.url], plain)
                let error = #"{"code":"ProvisionedThroughputExceededException"}"#
                let rules = #"[{"service":"dynamodb","probability":0.2,"error":\#(error)}]"#
                try await Services.curl(proxy.url + "/_microburst/rules", "--json", rules)
                return (["AWS_ENDPOINT_URL_DYNAMODB": proxy.url], proxy)
            }
            let job = try await world.reindex()
            let extraction = try await world.function("extraction")
            let insertion = try await world.insertion(of: job)
            try await eventually("a launch") { try await extraction.invoke(insertion).again == [] ? () : nil }
            try await world.finish(
                job,
                replay: [try await world.function("replay")],
                progress: [try await world.function("progress")]
            )
            try await world.expectArrived(job, documents: Self.documents)
        }

        @Test("a cluster that is away holds up a launch, which is made once when it is back")
        func clusterAway() async throws {
            let world = try await FunctionWorld.start(documents: Self.documents)
            let job = try await world.reindex()
            let url = try #require(world.environment["SLUICE_KUBERNETES_URL"])
            let port = try #require(URL(string: url)?.port)
            try await world.kubernetes.killNow()
            let extraction = try await world.function("extraction")
            let insertion = try await world.insertion(of: job)
            for _ in 0..<2 {
                let answer = try await extraction.invoke(insertion)
                #expect(answer.again == ["7"], "\(answer) \(extraction.log)")
                #expect(try await world.sandbox.job(job).status == "pending")
            }
            let back = try await world.startCluster("--port", "\(port)")
            try await world.extract(job, by: extraction, documents: Self.documents)
            #expect(try await world.launches() == ["sluice-\(job)-1"])
            try await world.finish(
                job,
                replay: [try await world.function("replay")],
                progress: [try await world.function("progress")]
            )
            try await world.expectArrived(job, documents: Self.documents)
            back.signal(SIGTERM)
            try await back.waitForEnd()
        }

        @Test(
            "an event that nobody can read fails by itself, and the process goes on",
            arguments: ["replay", "progress"]
        )
        func malformed(name: String) async throws {
            let world = try await FunctionWorld.start(documents: 3)
            let function = try await world.function(name)
            for event in ["no JSON", "{}", #"{"Records":[{"messageId":"1"}]}"#] {
                let answer = try await function.invoke(event)
                #expect(answer.error?.contains("event") == true, "\(answer)")
            }
            let process = try #require(function.process)
            let gone =
                #"{"v":1,"system_account_id":"shop","index_name":"i","reindex_id":"2026-03-04-05-06-07-89abcdef""#
            let chunk = #","chunk":"000#000000000#000001#0000","of":1,"count":1,"first":true,"offset":0,"length":1"#
            let bodies = ["", "[1", #"{"v":99}"#, gone + chunk + #","letters":"a"}"#]
            let records = bodies.enumerated().map { place, body -> JSONValue in
                ["messageId": .string("m\(place)"), "receiptHandle": .string("r\(place)"), "body": .string(body)]
            }
            let answer = try await function.invoke((["Records": .array(records)] as JSONValue).description)
            #expect(answer.again == ["m0", "m1", "m2"], "\(answer) \(function.log)")
            #expect(function.process == process)
        }

        @Test("changes that nobody can read don't hold up those behind them")
        func malformedChange() async throws {
            let world = try await FunctionWorld.start(documents: 3)
            let job = try await world.reindex()
            let extraction = try await world.function("extraction")
            for event in ["no JSON", "{}"] {
                #expect(try await extraction.invoke(event).error?.contains("event") == true)
            }
            let change = try #require(JSONValue.parse(try await world.insertion(of: job))["Records"]?.arrayValue?.first)
            let odd: [JSONValue] = [
                [:], ["dynamodb": [:]], ["eventName": "INSERT", "dynamodb": ["Keys": ["pk": ["S": "x"]]]],
            ]
            let answer = try await extraction.invoke((["Records": .array(odd + [change])] as JSONValue).description)
            #expect(answer.again == [], "\(answer) \(extraction.log)")
            #expect(try await world.launches() == ["sluice-\(job)-1"])
        }
    }
}

extension FunctionWorld {
    fileprivate func functions(_ name: String, _ count: Int) async throws -> [EmulatedFunction] {
        var functions: [EmulatedFunction] = []
        for _ in 0..<count { functions.append(try await function(name)) }
        return functions
    }

    fileprivate func expectArrived(_ job: String, documents: Int) async throws {
        try await sandbox.expectArrived(job, world.services, index: "target", documents: documents)
    }
}
