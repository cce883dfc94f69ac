// What DynamoDB does on bad days: rests of batches, cancelled transactions, throttling, answers that never come.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import AWSDriver

@Suite("DynamoDB on bad days", .timeLimit(.minutes(10)))
struct DynamoDBFaultTests {
    private typealias World = TablesWorld

    /// Does a part of each batch, another one each time, and gives the rest back.
    private final class Unwilling: Sendable {
        private let written = Mutex<[String]>([])

        /// The sort keys in the order they were written.
        var keys: [String] { written.withLock { $0 } }

        func write(_ number: Int, _ asked: ScriptedStandIn.Asked) -> Answer {
            let requests = (try? JSONValue.parse(asked.body))?["RequestItems"]?["t"]?.arrayValue ?? []
            let done = requests.prefix(number % 8)
            let keys = done.compactMap { request in
                (request["PutRequest"]?["Item"] ?? request["DeleteRequest"]?["Key"])?["sk"]?["S"]?.stringValue
            }
            written.withLock { $0 += keys }
            let rest = Array(requests.dropFirst(done.count))
            return Answer(200, "\(["UnprocessedItems": rest.isEmpty ? [:] : ["t": .array(rest)]] as JSONValue)")
        }

        func read(_ number: Int, _ asked: ScriptedStandIn.Asked) -> Answer {
            let request = (try? JSONValue.parse(asked.body))?["RequestItems"]?["t"]
            let keys = request?["Keys"]?.arrayValue ?? []
            let found = keys.prefix(number % 8).filter { $0["sk"]?["S"]?.stringValue?.hasSuffix("7") == false }
            let rest: JSONValue = [
                "Keys": .array(Array(keys.dropFirst(number % 8))),
                "ConsistentRead": request?["ConsistentRead"] ?? false,
            ]
            let unprocessed: JSONValue = rest["Keys"]?.arrayValue?.isEmpty == true ? [:] : ["t": rest]
            return Answer(
                200,
                "\(["Responses": ["t": .array(found.reversed())], "UnprocessedKeys": unprocessed] as JSONValue)"
            )
        }
    }

    @Test("what a batch of writes leaves undone is sent again until nothing is left, and nothing is done twice")
    func unprocessedItems() async throws {
        let peer = Unwilling()
        try await World.run(ScriptedStandIn { peer.write($0, $1) }) { tables, standIn in
            let sorts = (100..<160).map(String.init)
            try await tables.writeEach(sorts.map { $0.hasSuffix("3") ? World.delete($0) : World.put($0) })
            #expect(peer.keys.sorted() == sorts)
            #expect(standIn.asked.count > 3)
            for asked in standIn.asked { #expect(asked.header("X-Amz-Target") == "DynamoDB_20120810.BatchWriteItem") }
        }
    }

    @Test("the rest goes back to DynamoDB byte by byte")
    func restAsItIs() async throws {
        let rest = #"{"t":[{"PutRequest":{"Item":{"pk":{"S":"p"},"x":{"N":"1.50"},"set":{"SS":["a"]}}}}]}"#
        let answers = [Answer(200, #"{"UnprocessedItems": \#(rest) }"#), Answer(200, "{}")]
        try await World.run(answers) { tables, standIn in
            try await tables.writeEach([World.put("1"), World.put("2")])
            #expect(standIn.asked.last?.text == #"{"RequestItems":\#(rest)}"#)
            #expect(standIn.asked.count == 2)
        }
    }

    @Test("a batch of which nothing is done again and again is throttled in the end")
    func stalledWrites() async throws {
        let rest = #"{"t":[{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"S":"1"}}}}]}"#
        try await World.run([Answer(200, #"{"UnprocessedItems":\#(rest)}"#)]) { tables, standIn in
            let error = await World.refused { () async throws(PortError) in
                try await tables.writeEach([World.delete("1")])
            }
            #expect(error?.code == .throttled)
            #expect(standIn.asked.count == BatchCourse.stallsMax)
        }
    }

    @Test("two writes to one item go out one after the other")
    func sameItemTwice() async throws {
        try await World.run([Answer(200, "{}")]) { tables, standIn in
            try await tables.writeEach([World.put("1"), World.put("2"), World.delete("1"), World.put("3")])
            let counts = try standIn.asked.map { asked in
                try JSONValue.parse(asked.body)["RequestItems"]?["t"]?.arrayValue?.count
            }
            #expect(counts == [2, 2])
        }
    }

    @Test("keys that a batch leaves out are asked for again, and items come in the order of their keys")
    func unprocessedKeys() async throws {
        let peer = Unwilling()
        try await World.run(ScriptedStandIn { peer.read($0, $1) }) { tables, standIn in
            let sorts = (100..<150).map(String.init)
            let items = try await tables.get(sorts.map { ItemKey("p", $0) }, in: World.schema)
            let wanted: [AttributeValue?] = sorts.map { $0.hasSuffix("7") ? nil : .string($0) }
            #expect(items.map { $0?["sk"] } == wanted)
            for asked in standIn.asked {
                let request = try JSONValue.parse(asked.body)["RequestItems"]?["t"]
                #expect(request?["ConsistentRead"]?.boolValue == true)
            }
        }
    }

    @Test(
        "a cancelled transaction is told by its reasons, and is not tried again",
        arguments: [
            (["None", "ConditionalCheckFailed", "ConditionalCheckFailed"], PortError.Code.conditionFailed, [1, 3]),
            (["ConditionalCheckFailed", "TransactionConflict", "None"], .conflict, []),
            (["TransactionConflict", "ThrottlingError", "None"], .conflict, []),
            (["None", "ProvisionedThroughputExceeded", "None"], .throttled, []),
            (["ThrottlingError", "None", "ConditionalCheckFailed"], .throttled, []),
            (["ValidationError", "TransactionConflict", "ConditionalCheckFailed"], .invalidRequest, []),
            (["None", "ItemCollectionSizeLimitExceeded", "None"], .invalidRequest, []),
            (["None", "None", "SomethingNew"], .unavailable, []),
            (["ConditionalCheckFailed"], .unavailable, []),
        ]
    )
    func reasons(codes: [String], code: PortError.Code, failedActions: [Int]) async throws {
        try await World.run([World.cancelled(codes)]) { tables, standIn in
            // The check of nothing is not sent; positions count it all the same.
            let nothing = TableAction(World.schema, ItemKey("p", "c"), .check)
            let actions = [
                World.put("a"), World.put("b", if: .itemAbsent), nothing, World.delete("d", if: .itemExists),
            ]
            let error = await World.refused { () async throws(PortError) in try await tables.transact(actions) }
            #expect(error?.code == code)
            #expect(error?.failedActions == failedActions)
            #expect(standIn.asked.count == 1)
        }
    }

    @Test(
        "reasons that can't be read leave it open which action was in the way",
        arguments: ["", #","CancellationReasons":3"#]
    )
    func noReasons(more: String) async throws {
        try await World.run([World.refusal("TransactionCanceledException", more)]) { tables, _ in
            let error = await World.refused { () async throws(PortError) in
                try await tables.transact([World.put("a", if: .itemAbsent), World.put("b")])
            }
            #expect(error?.code == .unavailable)
        }
    }

    @Test(
        "an addition without room is told from a condition that failed",
        arguments: [
            (Condition.attributeExists("n"), PortError.Code.invalidRequest), (.attributeAbsent("n"), .conditionFailed),
            (nil, .invalidRequest),
        ] as [(Condition?, PortError.Code)],
        [false, true]
    )
    func additions(wanted: (condition: Condition?, code: PortError.Code), isAlone: Bool) async throws {
        let (condition, code) = wanted
        let item = #"{"pk":{"S":"p"},"sk":{"S":"a"},"n":{"N":"\#(Int64.max)"}}"#
        let answer =
            isAlone
            ? World.refusal("ConditionalCheckFailedException", #","Item":\#(item)"#)
            : World.cancelled(["ConditionalCheckFailed", "None"], item: item)
        try await World.run([answer]) { tables, standIn in
            let addition = World.update("a", [.add("n", 1)], if: condition)
            let actions = isAlone ? [addition] : [addition, World.put("b")]
            let error = await World.refused { () async throws(PortError) in try await tables.transact(actions) }
            #expect(error?.code == code)
            #expect(error?.failedActions == (code == .conditionFailed ? [0] : []))
            #expect(standIn.asked.first?.text.contains(#""ReturnValuesOnConditionCheckFailure":"ALL_OLD""#) == true)
        }
    }

    @Test(
        "throttling is waited out, and told if it lasts; nothing was written",
        arguments: [World.put("a"), World.update("a", [.add("n", 1)], if: .itemExists)]
    )
    func throttling(action: TableAction) async throws {
        let throttled = World.refusal("ProvisionedThroughputExceededException")
        try await World.run([throttled, throttled, Answer(200, "{}")]) { tables, standIn in
            try await tables.transact([action])
            #expect(standIn.asked.count == 3)
        }
        try await World.run([throttled]) { tables, standIn in
            let error = await World.refused { () async throws(PortError) in try await tables.transact([action]) }
            #expect(error?.code == .throttled)
            #expect(error?.outcomeUnknown == false)
            #expect(standIn.asked.count == 3)
        }
    }

    @Test("a single write that meets a transaction is a conflict")
    func conflict() async throws {
        try await World.run([World.refusal("TransactionConflictException")]) { tables, standIn in
            let error = await World.refused { () async throws(PortError) in try await tables.transact([World.put("a")])
            }
            #expect(error?.code == .conflict)
            #expect(standIn.asked.count == 1)
        }
    }

    @Test(
        "a transaction whose answer is lost is asked after by its token",
        arguments: [ConnectionFault.hangUp, .cut(afterBytes: 0)]
    )
    func lostTransaction(fault: ConnectionFault) async throws {
        let actions = [World.put("a", if: .itemAbsent), World.update("b", [.add("n", 1)])]
        let lost = Answer(200, "{}", fault: fault)
        try await World.run([lost, Answer(500, "{}"), Answer(200, "{}")]) { tables, standIn in
            try await tables.transact(actions)
            let bodies = standIn.asked.map(\.text)
            #expect(bodies.count == 3)
            #expect(Set(bodies).count == 1)
            let token = try JSONValue.parse(standIn.asked[0].body)["ClientRequestToken"]?.stringValue
            #expect(token?.utf8.count == 32)
            try await tables.transact(actions)
            let other = try JSONValue.parse(try #require(standIn.asked.last).body)["ClientRequestToken"]?.stringValue
            #expect(other != token)
        }
        try await World.run([lost, World.cancelled(["ConditionalCheckFailed", "None"])]) { tables, _ in
            let error = await World.refused { () async throws(PortError) in try await tables.transact(actions) }
            #expect(error?.code == .conditionFailed)
            #expect(error?.failedActions == [0])
        }
    }

    @Test(
        "a single write that may not happen twice is not sent again when its answer is lost",
        arguments: [
            World.update("a", [.add("n", 1)]), World.put("a", if: .itemAbsent), World.delete("a", if: .itemExists),
        ]
    )
    func lostSingle(action: TableAction) async throws {
        for answer in [Answer(200, "{}", fault: .hangUp), Answer(500, "{}")] {
            try await World.run([answer]) { tables, standIn in
                let error = await World.refused { () async throws(PortError) in try await tables.transact([action]) }
                #expect(error?.code == .unavailable)
                #expect(error?.outcomeUnknown == true)
                #expect(standIn.asked.count == 1)
            }
        }
    }

    @Test(
        "a single write that may happen twice is sent again",
        arguments: [World.put("a"), World.delete("a"), World.update("a", [.remove("x")])]
    )
    func repeatedSingle(action: TableAction) async throws {
        try await World.run([.fault(.hangUp), Answer(500, "{}"), Answer(200, "{}")]) { tables, standIn in
            try await tables.transact([action])
            #expect(standIn.asked.count == 3)
        }
    }

    @Test("a table that is not there is named")
    func noTable() async throws {
        try await World.run([World.refusal("ResourceNotFoundException")]) { tables, _ in
            let error = await World.refused { () async throws(PortError) in
                _ = try await tables.get(ItemKey("p", "s"), in: World.schema)
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test(
        "an answer that is no item is told, and taken for none",
        arguments: [
            "", "[]", #"{"Item":3}"#, #"{"Item":{"a":{"S":1}}}"#, #"{"Item":{"a":{"S":"x","N":"1"}}}"#,
            #"{"Item":{"a":{}}}"#, #"{"Item":{"a":{"N":"x"}}}"#, #"{"Item":{"a":{"B":"?"}}}"#,
            #"{"Item":{"a":{"XS":["x"]}}}"#, #"{"Item":{"a":{"S":"x"}}"#, #"{"Item":{"a":{"L":{}}}}"#,
            #"{"Item":\#(String(repeating: #"{"a":{"M":"#, count: 400))"#,
        ]
    )
    func senseless(body: String) async throws {
        try await World.run([Answer(200, body)]) { tables, _ in
            let error = await World.refused { () async throws(PortError) in
                _ = try await tables.get(ItemKey("p", "s"), in: World.schema)
            }
            #expect(error?.code == .unavailable)
        }
    }
}
