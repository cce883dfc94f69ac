// What goes to DynamoDB, word by word.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("DynamoDB's requests", .timeLimit(.minutes(10)))
struct DynamoDBRequestTests {
    private typealias World = TablesWorld

    /// What a call asks for: the operation and its input.
    private func asked(
        _ answer: String = "{}",
        prefix: String = "",
        _ call: (DynamoDBTables) async throws -> Void
    ) async throws -> (operation: String?, input: JSONValue) {
        var seen: (String?, JSONValue) = (nil, .null)
        try await World.run([Answer(200, answer)], prefix: prefix) { tables, standIn in
            try await call(tables)
            let asked = try #require(standIn.asked.first)
            seen = (asked.header("X-Amz-Target"), try JSONValue.parse(asked.body))
        }
        return (seen.0.map { String($0.dropFirst("DynamoDB_20120810.".count)) }, seen.1)
    }

    @Test("a get is consistent, and the table has its prefix")
    func get() async throws {
        let (operation, input) = try await asked(prefix: "mine-") {
            _ = try await $0.get(ItemKey("p", "s"), in: World.schema)
        }
        #expect(operation == "GetItem")
        let wanted: JSONValue = [
            "TableName": "mine-t", "Key": ["pk": ["S": "p"], "sk": ["S": "s"]], "ConsistentRead": true,
        ]
        #expect(input == wanted)
    }

    @Test("one put, update or delete goes without a transaction")
    func alone() async throws {
        let put = try await asked { try await $0.transact([World.put("s", ["n": .int(1)], if: .itemAbsent)]) }
        #expect(put.operation == "PutItem")
        let wantedPut: JSONValue = [
            "TableName": "t", "Item": ["pk": ["S": "p"], "sk": ["S": "s"], "n": ["N": "1"]],
            "ConditionExpression": "attribute_not_exists(#0)", "ExpressionAttributeNames": ["#0": "pk"],
        ]
        #expect(put.input == wantedPut)

        let changes: [AttributeChange] = [.set("a", .null), .remove("b"), .add("n", -5), .set("pk", .string("p"))]
        let update = try await asked { try await $0.transact([World.update("s", changes)]) }
        #expect(update.operation == "UpdateItem")
        let wantedUpdate: JSONValue = [
            "TableName": "t", "Key": ["pk": ["S": "p"], "sk": ["S": "s"]],
            "UpdateExpression": "SET #0 = :0 REMOVE #1 ADD #2 :1",
            "ConditionExpression": "attribute_not_exists(#2) OR #2 >= :2",
            "ExpressionAttributeNames": ["#0": "a", "#1": "b", "#2": "n"],
            "ExpressionAttributeValues": [
                ":0": ["NULL": true], ":1": ["N": "-5"], ":2": ["N": .string(String(Int64.min + 5))],
            ],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        ]
        #expect(update.input == wantedUpdate)

        let delete = try await asked { try await $0.transact([World.delete("s")]) }
        #expect(delete.operation == "DeleteItem")
        #expect(delete.input == ["TableName": "t", "Key": ["pk": ["S": "p"], "sk": ["S": "s"]]])

        let empty = try await asked { try await $0.transact([World.update("s", [])]) }
        #expect(empty.input == ["TableName": "t", "Key": ["pk": ["S": "p"], "sk": ["S": "s"]]])
    }

    @Test("several actions, or a check, are a transaction")
    func transaction() async throws {
        let single = TableAction(World.singles, ItemKey("x"), .check, if: .compare("n", .less, .int(3)))
        let (operation, input) = try await asked {
            try await $0.transact([World.put("a"), single, World.delete("b"), World.update("c", [])])
        }
        #expect(operation == "TransactWriteItems")
        let items = try #require(input["TransactItems"]?.arrayValue)
        let check: JSONValue = [
            "TableName": "one", "Key": ["id": ["S": "x"]], "ConditionExpression": "#0 < :0",
            "ExpressionAttributeNames": ["#0": "n"], "ExpressionAttributeValues": [":0": ["N": "3"]],
        ]
        let update: JSONValue = [
            "TableName": "t", "Key": ["pk": ["S": "p"], "sk": ["S": "c"]], "UpdateExpression": "REMOVE #0",
            "ExpressionAttributeNames": ["#0": "(none)"],
        ]
        let wanted: [JSONValue] = [
            ["Put": ["TableName": "t", "Item": ["pk": ["S": "p"], "sk": ["S": "a"]]]], ["ConditionCheck": check],
            ["Delete": ["TableName": "t", "Key": ["pk": ["S": "p"], "sk": ["S": "b"]]]], ["Update": update],
        ]
        #expect(items == wanted)
        let alone = try await asked { try await $0.transact([single]) }
        #expect(alone.operation == "TransactWriteItems")
        #expect(alone.input["TransactItems"] == [["ConditionCheck": check]])
    }

    @Test("a check of nothing, and ranges that hold nothing, are not asked")
    func nothing() async throws {
        try await World.run([]) { tables, standIn in
            try await tables.transact([TableAction(World.schema, ItemKey("p", "s"), .check)])
            try await tables.writeEach([])
            #expect(try await tables.get([], in: World.schema).isEmpty)
            for (low, high) in [("b", "a"), ("", ""), ("a", "")] {
                let page = try await tables.query(
                    TableQuery(partition: "p", range: .between(low, high)),
                    in: World.schema
                )
                #expect(page.items.isEmpty)
                #expect(page.next == nil)
            }
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test(
        "ranges in DynamoDB's words",
        arguments: [
            (TableQuery.SortRange.everything, "", [:]), (.prefix(""), "", [:]),
            (.prefix("x"), " AND begins_with(#1, :1)", [":1": ["S": "x"]]),
            (.between("", "x"), " AND #1 <= :1", [":1": ["S": "x"]]),
            (.between("a", "b"), " AND #1 BETWEEN :2 AND :1", [":1": ["S": "b"], ":2": ["S": "a"]]),
        ] as [(TableQuery.SortRange, String, [String: JSONValue])]
    )
    func ranges(range: TableQuery.SortRange, text: String, values: [String: JSONValue]) async throws {
        for index in [nil, "by-colour"] {
            let query = TableQuery(partition: "p", range: range, index: index, limit: 7, descending: index == nil)
            let (operation, input) = try await asked { _ = try await $0.query(query, in: World.schema) }
            #expect(operation == "Query")
            var wanted: JSONObject = ["TableName": "t", "Limit": 7]
            let names: JSONValue = index == nil ? ["#0": "pk", "#1": "sk"] : ["#0": "colour", "#1": "size"]
            wanted["ExpressionAttributeNames"] = text.isEmpty ? ["#0": names["#0"] ?? .null] : names
            wanted["KeyConditionExpression"] = .string("#0 = :0" + text)
            var all: JSONObject = [":0": ["S": "p"]]
            for (name, value) in values { all[name] = value }
            wanted["ExpressionAttributeValues"] = .object(all)
            wanted["IndexName"] = index.map { .string($0) }
            if index == nil {
                wanted["ConsistentRead"] = true
                wanted["ScanIndexForward"] = false
            }
            #expect(input == .object(wanted))
        }
    }

    @Test("a page goes on where the one before ended, and a strange cursor is refused")
    func cursors() async throws {
        let key = #"{"pk":{"S":"p"},"sk":{"S":"é\""}}"#
        let answers = [
            Answer(200, #"{"Items":[],"LastEvaluatedKey": \#(key) ,"Count":0}"#), Answer(200, #"{"Items":[]}"#),
        ]
        try await World.run(answers) { tables, standIn in
            let first = try await tables.scan(World.schema, limit: 5, after: nil)
            #expect(first.next != nil)
            let second = try await tables.scan(World.schema, limit: 5, after: first.next)
            #expect(second.next == nil)
            let wanted: JSONValue = [
                "TableName": "t", "Limit": 5, "ConsistentRead": true, "ExclusiveStartKey": try JSONValue.parse(key),
            ]
            #expect(try JSONValue.parse(try #require(standIn.asked.last).body) == wanted)
            for token in ["", "x", "3", "{", #"{"pk":"p"}"#] {
                let error = await World.refused { () async throws(PortError) in
                    _ = try await tables.scan(World.schema, limit: 5, after: TableCursor(token: token))
                }
                #expect(error?.code == .invalidRequest)
            }
        }
    }

    @Test(
        "conditions in DynamoDB's words, with one pair of brackets where they are needed and none where not",
        arguments: [
            (Condition.all([]), nil), (.any([]), "attribute_exists(#0) AND attribute_not_exists(#0)"),
            (.compare("a", .notEqual, .int(1)), "attribute_not_exists(#0) OR #0 <> :0"),
            (.compare("a", .less, .bool(true)), "attribute_exists(#0) AND attribute_not_exists(#0)"),
            (.compare("a", .greaterOrEqual, .null), "#0 = :0"),
            (.not(.not(.attributeExists("a"))), "NOT (NOT (attribute_exists(#0)))"),
            (
                .not(.any([.attributeExists("a"), .attributeExists("b")])),
                "NOT (attribute_exists(#0) OR attribute_exists(#1))"
            ),
            (
                .all([.attributeExists("a"), .any([.attributeAbsent("a"), .compare("b", .equal, .int(1))]), .all([])]),
                "attribute_exists(#0) AND (attribute_not_exists(#0) OR #1 = :0)"
            ),
            (
                .all([.any([.attributeExists("a"), .attributeExists("b")])]),
                "attribute_exists(#0) OR attribute_exists(#1)"
            ),
            (.any([.attributeExists("a"), .all([])]), nil),
            (
                .all([.attributeExists("a"), .not(.any([.all([])]))]),
                "attribute_exists(#0) AND attribute_not_exists(#0)"
            ),
            (.any([.attributeExists("a"), .compare("b", .less, .null)]), "attribute_exists(#0)"),
            (
                .all([.attributeExists("\u{E9}"), .attributeExists("e\u{301}")]),
                "attribute_exists(#0) AND attribute_exists(#1)"
            ),
        ] as [(Condition, String?)]
    )
    func conditions(condition: Condition, text: String?) throws {
        var expression = DynamoDBExpression(World.schema)
        let parsed = try expression.condition(condition)
        let whole = expression.whole(parsed)
        #expect(whole == text)
        var request = AWSJSONWriter()
        request.json("{")
        expression.write(into: &request)
        request.json("}")
        let placeholders = try JSONValue.parse(request.bytes).objectValue?.members.flatMap { member in
            member.value.objectValue?.members.map(\.name) ?? []
        }
        // DynamoDB refuses a placeholder that is not used.
        for placeholder in placeholders ?? [] { #expect(whole?.contains(placeholder) == true) }
    }

    @Test(
        "what can never be written is refused before it is sent",
        arguments: [
            TableAction(TablesWorld.schema, ItemKey("p"), .delete),
            TableAction(TablesWorld.schema, ItemKey("", "s"), .delete),
            TableAction(TablesWorld.schema, ItemKey("p", ""), .delete),
            TableAction(TablesWorld.singles, ItemKey("p", "s"), .delete),
            TablesWorld.update("s", [.set("sk", .string("t"))]), TablesWorld.update("s", [.remove("pk")]),
            TablesWorld.put("s", ["x": .double(.infinity)]), TablesWorld.put("s", ["x": .double(.nan)]),
            TablesWorld.put("s", ["x": .list([.double(1e126)])]),
            TablesWorld.put("s", ["x": .map(["y": .double(1e-131)])]),
            TablesWorld.put("s", if: .compare("x", .less, .double(-.infinity))),
        ]
    )
    func refused(action: TableAction) async throws {
        try await World.run([Answer(200, "{}")]) { tables, standIn in
            let error = await World.refused { () async throws(PortError) in try await tables.transact([action]) }
            #expect(error?.code == .invalidRequest)
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("whatever an item holds comes back as it went, numbers to the last bit")
    func values() throws {
        let doubles = [
            0.1, -0.1, 5e-100, 1e-130, 9.999_999_999_999_999e125, -1.797e100, 1.000_000_000_000_000_2, 1e23, 0.5,
        ]
        let item: AttributeMap = [
            "null": .null, "yes": .bool(true), "no": .bool(false), "max": .int(.max), "min": .int(.min),
            "doubles": .list(doubles.map { .double($0) }), "text": .string("\u{0}\u{1F}\"\\/é\u{1F600}"),
            "": .string(""),
            "bytes": .bytes(Array(0...255)), "none": .bytes([]), "map": .map(["a": .list([]), "b": .map([:])]),
        ]
        var writer = AWSJSONWriter()
        try writer.item(item)
        var read: AttributeMap = [:]
        var answer = AWSJSONWriter()
        answer.json(#"{"Other":[{}],"Item":"#)
        answer.json(writer.bytes)
        answer.json(" }")
        try AWSJSONReader.walk(answer.bytes) { reader, name, place in
            name == "Item" ? reader.item(at: place, into: &read) : reader.skip(place)
        }
        #expect(read == item)
        for (name, value) in item { #expect(read[name]?.isStoredAlike(value) == true) }
    }

    @Test("zero has no sign in DynamoDB, and whole doubles come back as whole numbers")
    func wholeDoubles() throws {
        var writer = AWSJSONWriter()
        try writer.value(.list([.double(-0.0), .double(4)]))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"L":[{"N":"0"},{"N":"4.0"}]}"#)
    }
}
