// Tries what is made of jobs: both vocabularies, failed items in every shape, jobs that fail or vanish.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import EcommerceDriver

@Suite("Confirming by the Ecommerce API's jobs", .timeLimit(.minutes(10)))
struct ConfirmTests {
    @Test("a job is open until it is completed", arguments: EcommerceOptions.Vocabulary.allCases)
    func open(vocabulary: EcommerceOptions.Vocabulary) async throws {
        let clock = ManualClock()
        var options = EcommerceOptions()
        options.vocabulary = vocabulary
        options.processing = .seconds(10)
        try await SinkWorld.run(options, clock: clock) { world async throws in
            let records = SinkWorld.records("a")
            let receipt = try await world.deliver(records).told.reason
            #expect(try await world.confirm(receipt, records) == .open)
            clock.advance(by: .seconds(5))
            #expect(try await world.confirm(receipt, records) == .open)
            clock.advance(by: .seconds(5))
            #expect(try await world.confirm(receipt, records).letters == "c")
        }
    }

    @Test("states that nobody knows are open", arguments: ["CONFLICT", "", "complete-ish", "CANCELLED"])
    func unknownStates(status: String) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(.says(status), of: .job)
            #expect(try await world.settle(SinkWorld.records("a")) == .open)
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var fault: EcommerceFault
        var kind: String
        var says = ""
        var after: Duration?

        var testDescription: String { "\(fault.name) is \(kind)" }
    }

    @Test(
        "every fault of asking has its answer",
        arguments: [
            Row(fault: .status(404), kind: "forgotten"),
            Row(fault: .status(401), kind: "halted", says: "key"),
            Row(fault: .status(403), kind: "halted", says: "key"),
            Row(fault: .status(301), kind: "halted", says: "URL"),
            Row(fault: .status(400), kind: "unknown", says: "400"),
            Row(fault: .status(429, retryAfter: .seconds(5)), kind: "overloaded", after: .seconds(5)),
            Row(fault: .status(500), kind: "unknown", says: "500"),
            Row(fault: .status(503, retryAfter: .seconds(5)), kind: "unknown", after: .seconds(5)),
            Row(fault: .before(.reset), kind: "unknown"),
            Row(fault: .after(.cut(afterBytes: 9)), kind: "unknown"),
            Row(fault: .unreadable("<html>"), kind: "unknown", says: "no JSON"),
            Row(fault: .unreadable("[]"), kind: "unknown", says: "no status"),
            Row(fault: .unreadable(#"{"status":7}"#), kind: "unknown", says: "no status"),
            Row(fault: .unreadable(#"{"status":"COMPLETED","failedItems":"x"}"#), kind: "unknown", says: "failedItems"),
            Row(fault: .unreadable(#"{"status":"COMPLETED","failedItems":-1}"#), kind: "unknown", says: "failedItems"),
            Row(fault: .unreadable(#"{"status":"COMPLETED","failedItems":null}"#), kind: "ended"),
            Row(fault: .unreadable(#"{"status":"completed"}"#), kind: "ended"),
            Row(fault: .unreadable(#"{"status":"FAILED","error":{"message":"why"}}"#), kind: "failed", says: "why"),
            Row(fault: .unreadable(#"{"status":"FAILED"}"#), kind: "failed", says: "does not say why"),
        ]
    )
    func faults(row: Row) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(row.fault, of: .job)
            let told = try await world.settle(SinkWorld.records("a")).told
            #expect(told.kind == row.kind)
            #expect(told.reason.contains(row.says), "\(told.reason)")
            #expect(told.after == row.after)
        }
    }

    @Test(
        "a job that ended badly says so",
        arguments: [
            (EcommerceJobFault.fails, "failed"), (.vanishes(stored: true), "forgotten"),
            (.vanishes(stored: false), "forgotten"), (.forgets, "ended"), (.failsEveryItem, "ended"),
        ]
    )
    func jobs(fault: EcommerceJobFault, kind: String) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(.job(fault), of: .write)
            let confirmation = try await world.settle(SinkWorld.records("a", "b"))
            #expect(confirmation.told.kind == kind)
            if fault == .failsEveryItem { #expect(confirmation.letters == "rr") }
        }
    }

    @Test(
        "failed items that are named end by their own status",
        arguments: [(400, "rccrcc"), (500, "tcctcc"), (429, "tcctcc")]
    )
    func namedItems(status: Int, letters: String) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(.job(.failsItems(every: 3, status: status)), of: .write)
            #expect(try await world.settle(SinkWorld.records("a", "b", "c", "d", "e", "f")).letters == letters)
        }
    }

    @Test("failed items that are only ids are refused, at every position of their id")
    func onlyIDs() async throws {
        try await SinkWorld.run { world async throws in
            let job = #"{"status":"COMPLETED","failedItems":["b",7]}"#
            world.standIn.faults.script(.unreadable(job), of: .job)
            let records = SinkWorld.records("a", "b", "c", "b") + [#"{"_id":7}"#]
            #expect(try await world.settle(records).letters == "crcrr")
        }
    }

    @Test("failed items that were not sent are reported, and change nothing")
    func strangers() async throws {
        try await SinkWorld.run { world async throws in
            let job = #"{"status":"COMPLETED","failedItems":[{"_id":"who","error":"x"},{"_id":"a","error":"y"}]}"#
            world.standIn.faults.script(.unreadable(job), of: .job)
            #expect(try await world.settle(SinkWorld.records("a", "b")).letters == "rc")
            #expect(world.notices.all.count == 1)
            #expect(world.notices.all.first?.contains("who") == true)
        }
    }

    @Test("a record's reason is the server's")
    func reasons() async throws {
        try await SinkWorld.run { world async throws in
            let job = #"{"status":"COMPLETED","failedItems":[{"_id":"a","status":400,"error":"price is missing"}]}"#
            world.standIn.faults.script(.unreadable(job), of: .job)
            let confirmation = try await world.settle(SinkWorld.records("a"))
            #expect(confirmation == .ended([.refused(reason: "item status 400: price is missing")]))
        }
    }

    struct Count: Sendable, CustomTestStringConvertible {
        var type: Job.ReindexType
        var ids: [String]
        /// What fails, every so many.
        var every: Int
        /// Ids that were there before.
        var before: [String] = []
        var letters: String?

        var testDescription: String { "\(type) of \(ids), every \(every)., before: \(before)" }
    }

    @Test(
        "failed items that are only counted are found out, or halves are asked for",
        arguments: [
            Count(type: .post, ids: ["a", "b", "c"], every: 9, letters: "rcc"),
            Count(type: .post, ids: ["a", "b", "c"], every: 2, letters: "rcr"),
            Count(type: .post, ids: ["a", "b", "c"], every: 1, letters: "rrr"),
            Count(type: .post, ids: ["a"], every: 1, letters: "r"),
            // An older version is there, so that too few are missing.
            Count(type: .post, ids: ["a", "b", "c"], every: 2, before: ["c"], letters: nil),
            Count(type: .post, ids: ["a", "a"], every: 1, letters: "rr"),
            Count(type: .patch, ids: ["a", "b", "c"], every: 1, before: ["a", "b", "c"], letters: "rrr"),
            Count(type: .patch, ids: ["a", "b", "c"], every: 9, before: ["a", "b", "c"], letters: nil),
            Count(type: .patch, ids: ["a"], every: 1, before: ["a"], letters: "r"),
        ]
    )
    func counted(row: Count) async throws {
        var options = EcommerceOptions()
        options.failedItems = .number
        try await SinkWorld.run(options, type: row.type) { world async throws in
            for id in row.before { world.standIn.put(#"{"_id":"\#(id)"}"#, as: id, in: SinkWorld.index) }
            let kind: EcommerceRequestKind = row.type == .post ? .write : .update
            world.standIn.faults.script(.job(.failsItems(every: row.every, status: nil)), of: kind)
            let confirmation = try await world.settle(row.ids.map { #"{"_id":"\#($0)","n":2}"# })
            #expect(confirmation.letters == row.letters)
            if row.letters == nil { #expect(confirmation.told.kind == "undetermined") }
        }
    }

    @Test("a count of nothing is all well")
    func countOfNothing() async throws {
        var options = EcommerceOptions()
        options.failedItems = .number
        try await SinkWorld.run(options) { world async throws in
            #expect(try await world.settle(SinkWorld.records("a", "b")).letters == "cc")
            #expect(world.standIn.stats.count(.read) == 0)
        }
    }

    @Test("what get-documents can't say now is asked for again", arguments: [(500, "unknown"), (403, "halted")])
    func readingFails(status: Int, kind: String) async throws {
        var options = EcommerceOptions()
        options.failedItems = .number
        try await SinkWorld.run(options) { world async throws in
            world.standIn.faults.script(.job(.failsItems(every: 9, status: nil)), of: .write)
            world.standIn.faults.script(.status(status), of: .read)
            #expect(try await world.settle(SinkWorld.records("a", "b")).told.kind == kind)
        }
    }

    @Test("a job without failures needs no records, one with failures says that it does")
    func lazyRecords() async throws {
        try await SinkWorld.run { world async throws in
            let records = SinkWorld.records("a", "b")
            let request = try SinkWorld.request(records)
            let lost = ConfirmationRequest(chunk: request.chunk, positions: request.positions) { nil }
            let good = try await world.deliver(records).told.reason
            #expect(await world.sink.confirm(good, for: lost).letters == "cc")
            world.standIn.faults.script(.job(.failsItems(every: 9, status: nil)), of: .write)
            let bad = try await world.deliver(records).told.reason
            #expect(await world.sink.confirm(bad, for: lost).told.kind == "unknown")
        }
    }
}
