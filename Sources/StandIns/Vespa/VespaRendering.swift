// Documents as bytes: which of their fields, and tensors in which form.
import SluiceCore

/// How a visit wants its documents written.
struct VespaRendering {
    private enum Fields {
        case all
        case none
        case named(Set<String>)
    }

    private let fields: Fields
    private let tensors: VespaQuery.TensorFormat

    init(_ query: VespaQuery, schema: String) throws(VespaBadRequest) {
        tensors = query.tensors
        switch query.fieldSet {
        case nil, "\(schema):[document]", "[document]", "[all]": fields = .all
        case "[id]", "\(schema):[id]", "[none]": fields = .none
        case let text?:
            guard text.hasPrefix("\(schema):") else {
                throw VespaBadRequest("The field set '\(text)' is not one of document type '\(schema)'")
            }
            let names = text.dropFirst(schema.count + 1).split(separator: ",", omittingEmptySubsequences: false)
            guard !names.contains(where: { $0.isEmpty || $0.contains("[") }) else {
                throw VespaBadRequest("Illegal field set '\(text)'")
            }
            fields = .named(Set(names.map(String.init)))
        }
    }

    /// Whether the corpus's own bytes are what is wanted.
    private var isPlain: Bool {
        if case .all = fields { tensors == .short } else { false }
    }

    /// Appends the fields of a document, which `own` holds as the corpus has them.
    func write(_ own: [UInt8], into bytes: inout [UInt8]) {
        if isPlain {
            bytes += own
            return
        }
        let value = Self.parsed(own)
        var chosen = JSONObject()
        for member in value.objectValue?.members ?? [] where isWanted(member.name) {
            chosen[member.name] = rendered(member.value)
        }
        JSONValue.object(chosen).write(into: &bytes)
    }

    /// The fields of a corpus are JSON; whoever made them otherwise has made a mistake.
    static func parsed(_ fields: [UInt8]) -> JSONValue {
        do throws(RecordError) {
            return try JSONValue.parse(fields)
        } catch {
            preconditionFailure("the corpus has fields that are no JSON: \(error)")
        }
    }

    private func isWanted(_ name: String) -> Bool {
        switch fields {
        case .all: true
        case .none: false
        case .named(let names): names.contains(name)
        }
    }

    /// A tensor is an object whose type begins with `tensor`; anything else stays as it is.
    private func rendered(_ value: JSONValue) -> JSONValue {
        guard let type = value["type"]?.stringValue, type.hasPrefix("tensor"),
            let form = ["cells", "blocks", "values"].first(where: { value[$0] != nil }), let content = value[form]
        else { return value }
        let dimension = Self.firstDimension(of: type)
        switch tensors {
        case .short: return value
        case .shortValue: return content
        case .long:
            return ["type": .string(type), form == "values" ? "cells" : form: Self.long(form, content, dimension)]
        case .longValue: return Self.long(form, content, dimension)
        }
    }

    private static func long(_ form: String, _ content: JSONValue, _ dimension: String) -> JSONValue {
        func part(_ label: String, _ name: String, _ value: JSONValue) -> JSONValue {
            ["address": .object([dimension: .string(label)]), name: value]
        }
        if form == "values" {
            let values = content.arrayValue ?? []
            return .array(values.enumerated().map { part("\($0.offset)", "value", $0.element) })
        }
        let members = content.objectValue?.members ?? []
        return .array(members.map { part($0.name, form == "cells" ? "value" : "values", $0.value) })
    }

    /// `p` of `tensor<float>(p{},x[2])`.
    private static func firstDimension(of type: String) -> String {
        String(type.drop { $0 != "(" }.dropFirst().prefix { $0 != "{" && $0 != "[" })
    }
}
