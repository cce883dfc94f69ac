// The transform's work over Foundation's values, as one would write it without a grammar of one's own.

import Foundation
import Meter
import SluiceCore
import SluiceStandIns

struct FoundationPeer {
    private let kind: IndexKind
    private let declared: [String: FieldType]

    init(_ kind: IndexKind) {
        self.kind = kind
        declared = ProductCorpus(kind: kind, seed: 0, count: 0).declared
    }

    func seconds(_ texts: [ArraySlice<UInt8>]) throws -> Double {
        let texts = texts.map { Data($0) }
        var meter = Meter()
        meter.rounds = 3
        return try meter.seconds {
            for text in texts { _ = try transformed(text) }
        }
    }

    private func transformed(_ text: Data) throws -> Data {
        let raw = try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:]
        let fields = raw["fields"] as? [String: Any] ?? [:]
        var document: [String: Any] = ["_id": fields["marqo__id"] ?? ""]
        for (name, value) in fields {
            guard name.hasPrefix("marqo__") else {
                document[name] = declared[name] == .bool ? (value as? Int == 1) : value
                continue
            }
            if name.hasPrefix("marqo__lexical_") {
                document[String(name.dropFirst(15))] = value
            } else if name.hasPrefix("marqo__filter_") {
                let name = String(name.dropFirst(14))
                document[name] = declared[name] == .bool ? (value as? Int == 1) : value
            } else if name.hasPrefix("marqo__string_array_") {
                document[String(name.dropFirst(20))] = value
            } else {
                contained(name, value, &document)
            }
        }
        return try JSONSerialization.data(withJSONObject: document)
    }

    private func contained(_ name: String, _ value: Any, _ document: inout [String: Any]) {
        switch name {
        case "marqo__int_fields", "marqo__float_fields":
            for (name, number) in value as? [String: Any] ?? [:] {
                guard let point = name.firstIndex(of: ".") else {
                    document[name] = number
                    continue
                }
                var map = document[String(name[..<point])] as? [String: Any] ?? [:]
                map[String(name[name.index(after: point)...])] = number
                document[String(name[..<point])] = map
            }
        case "marqo__bool_fields":
            for (name, byte) in value as? [String: Int] ?? [:] { document[name] = byte != 0 }
        case "marqo__short_string_fields" where kind == .unstructured, "marqo__long_string_fields":
            for (name, text) in value as? [String: String] ?? [:] { document[name] = text }
        case "marqo__string_array":
            for text in value as? [String] ?? [] {
                guard let colons = text.range(of: "::") else { continue }
                let name = String(text[..<colons.lowerBound])
                document[name] = (document[name] as? [String] ?? []) + [String(text[colons.upperBound...])]
            }
        default: break
        }
    }
}
