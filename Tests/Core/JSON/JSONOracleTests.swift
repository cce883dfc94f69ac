// Mutated records, judged by the scanner and by Foundation, which shares no line with it.

import Foundation
import SluiceCore
import Testing

@Suite("the scanner and Foundation")
struct JSONOracleTests {
    private static let seeds: [UInt64] = [1, 2, 3, 4]

    @Test("agree on what is JSON and on what is left of it", arguments: seeds)
    func agree(seed: UInt64) throws {
        var chance = Chance(state: seed)
        var accepted = 0
        for _ in 0..<1500 {
            let text = chance.mutated(chance.record())
            let selection = chance.selection()
            let ours = scan(text, selection)
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            let shown = String(decoding: text, as: UTF8.self)
            switch ours.error?.code {
            case nil:
                accepted += 1
                let record = try #require(theirs as? [String: Any], "only we accept \(shown)")
                let written = try JSONSerialization.jsonObject(with: Data(ours.text.utf8))
                let expected = Self.selected(record, selection)
                #expect(try Self.sorted(written) == Self.sorted(expected), "\(shown) became \(ours.text)")
                #expect((try? JSONValue.parse(text)) != nil)
            case .missingID:
                #expect(theirs is [String: Any], "only we accept \(shown)")
            case .invalidID, .emptyID, .duplicateID:
                // Found before the rest is judged, so there is nothing to compare.
                break
            case .notAnObject:
                #expect(!(theirs is [String: Any]), "only they accept \(shown)")
            case let code?:
                #expect(theirs == nil || Self.isCommaBeforeEnd(ours.error, text), "only they accept \(shown): \(code)")
            }
        }
        #expect(accepted > 300, "mutations must leave enough to compare")
    }

    @Test(
        "differ only where it is known",
        arguments: [
            // Foundation reads a comma before the end; RFC 8259 and orjson do not.
            (#"{"_id":"x","v":[1,]}"#, .unexpectedByte, true), (#"{"_id":"x",}"#, .unexpectedByte, true),
            // It reads a byte order mark, which RFC 8259 lets readers ignore; orjson refuses it, and so do we.
            ("\u{FEFF}{\"_id\":\"x\"}", .notAnObject, true),
            // Its depth limit is another one.
            ("{\"_id\":\"x\",\"v\":" + nested(300) + "}", .tooDeep, true),
            // It refuses numbers beyond all doubles; we move their text.
            (#"{"_id":"x","v":1e999}"#, nil, false), (#"{"_id":"x","v":-1.8e308}"#, nil, false),
        ] as [(String, RecordError.Code?, Bool)]
    )
    func differences(_ text: String, _ ours: RecordError.Code?, _ theirs: Bool) {
        #expect(scan(text).error?.code == ours)
        #expect(((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil) == theirs)
    }

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    /// The one difference that mutations come upon.
    private static func isCommaBeforeEnd(_ error: RecordError?, _ text: [UInt8]) -> Bool {
        guard let error, error.code == .unexpectedByte, [0x7D, 0x5D].contains(text[error.offset]) else { return false }
        return text[..<error.offset].last { $0 > 0x20 } == 0x2C
    }

    /// One spelling for equal values.
    private static func sorted(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value, options: .sortedKeys), as: UTF8.self)
    }

    /// The selection's work, done on Foundation's values.
    private static func selected(_ record: [String: Any], _ selection: RecordSelection) -> [String: Any] {
        var result = record
        for path in selection.drop where path != selection.idField {
            result = without(path.split(separator: ".").map(String.init)[...], in: result) as? [String: Any] ?? [:]
        }
        if let keep = selection.keep { result = result.filter { keep.contains($0.key) || $0.key == selection.idField } }
        return result
    }

    private static func without(_ path: ArraySlice<String>, in value: Any) -> Any {
        if let elements = value as? [Any] { return elements.map { without(path, in: $0) } }
        guard var object = value as? [String: Any], let name = path.first else { return value }
        if path.count == 1 {
            object[name] = nil
        } else if let inner = object[name] {
            object[name] = without(path.dropFirst(), in: inner)
        }
        return object
    }
}

/// Chance that repeats itself: SplitMix64.
private struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }

    mutating func selection() -> RecordSelection {
        RecordSelection(
            keep: pick([nil, nil, ["a", "lines"], ["customer"], []]),
            drop: pick([[], ["a"], ["lines.internal", "b"], ["customer.name", "customer.more.a"], ["lines"]])
        )
    }

    mutating func record() -> [UInt8] {
        let names = ["a", "b", "c", "lines", "customer", "größe", "a_long_field_name"].shuffled(using: &self)
        var fields = names.prefix(Int.random(in: 0...7, using: &self)).map { "\"\($0)\":\(value(depth: 0))" }
        fields.insert(
            "\"_id\":\(pick(["\"x\"", "12", "\"größe\""]))",
            at: Int.random(in: 0...fields.count, using: &self)
        )
        return Array("{\(fields.joined(separator: pick([",", ", ", ",\n "])))}".utf8)
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 2 ? 7 : 10), using: &self) {
        case 0: return pick(["true", "false", "null"])
        case 1: return String(Int.random(in: -1000...1000, using: &self))
        case 2: return pick(["0.5", "-12.25", "1e3", "2.5E-3", "0"])
        case 3: return pick(["\"\"", "\"plain\"", "\"a longer text of some words\""])
        case 4: return pick([#""\"\\\/""#, #""\u00e9\ud83d\ude00""#, #""line\nbreak\ttab""#])
        case 5: return pick(["\"größe\"", "\"日本製 bottle\"", "\"naïve 😀\""])
        case 6: return "[]"
        case 7:
            return "["
                + (0..<Int.random(in: 1...3, using: &self)).map { _ in value(depth: depth + 1) }.joined(separator: ",")
                + "]"
        default:
            let names = ["internal", "name", "more", "a", "sku"].shuffled(using: &self)
            let fields = names.prefix(3).map { "\"\($0)\":\(value(depth: depth + 1))" }
            return "{\(fields.joined(separator: ","))}"
        }
    }

    /// One record in five stays whole; the others get one to three wounds.
    mutating func mutated(_ record: [UInt8]) -> [UInt8] {
        var text = record
        guard Int.random(in: 0..<5, using: &self) > 0 else { return text }
        let alphabet =
            Array("{}[]\",:\\u0eE+-.tfnd8c9 \n\t\u{1}\u{7F}1/".utf8) + [0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0xFF]
        for _ in 0..<Int.random(in: 1...3, using: &self) where !text.isEmpty {
            let place = Int.random(in: 0..<text.count, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: text[place] = pick(alphabet)
            case 1: text.remove(at: place)
            case 2: text.insert(pick(alphabet), at: place)
            case 3: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            default: text.replaceSubrange(place..<min(place + 4, text.count), with: text[..<min(3, text.count)])
            }
        }
        return text
    }
}
