// Reads items as DynamoDB has them.
internal import SluiceCore

extension AWSJSONReader {
    mutating func items(at place: Int, into result: inout [AttributeMap]) -> Place {
        elements(of: place) { reader, place in
            var item: AttributeMap = [:]
            let end = reader.item(at: place, into: &item)
            result.append(item)
            return end
        }
    }

    /// An item, or the members of a map.
    mutating func item(at place: Int, into result: inout AttributeMap) -> Place {
        members(of: place) { reader, name, place in
            var value = AttributeValue.null
            let end = reader.value(at: place, into: &value)
            result[name] = value
            return end
        }
    }

    private mutating func value(at place: Int, into result: inout AttributeValue) -> Place {
        var types = 0
        let end = members(of: place) { reader, type, place in
            types += 1
            return reader.content(of: type, at: place, into: &result)
        }
        guard end < 0 || types == 1 else { return refuse("an attribute has \(types) types", at: place) }
        return end
    }

    private mutating func content(of type: String, at place: Int, into result: inout AttributeValue) -> Place {
        switch type {
        case "S":
            var string = ""
            let end = self.string(at: place, into: &string)
            result = .string(string)
            return end
        case "N", "B":
            guard let text = text(at: place), text.end >= 0 else { return refuse("an attribute is no text", at: place) }
            let value = type == "N" ? number(text) : bytes(text)
            guard let value else { return refuse("an attribute is no \(type == "N" ? "number" : "Base64")", at: place) }
            result = value
            return text.end + 1
        case "BOOL":
            result = .bool(grammar.bytes[place] == UInt8(ascii: "t"))
            return skip(place)
        case "NULL":
            result = .null
            return skip(place)
        case "L":
            var values: [AttributeValue] = []
            let end = elements(of: place) { reader, place in
                var value = AttributeValue.null
                let end = reader.value(at: place, into: &value)
                values.append(value)
                return end
            }
            result = .list(values)
            return end
        case "SS", "NS", "BS":
            // This program writes no sets; those of others are read as lists.
            var values: [AttributeValue] = []
            let member = String(type.prefix(1))
            let end = elements(of: place) { reader, place in
                var value = AttributeValue.null
                let end = reader.content(of: member, at: place, into: &value)
                values.append(value)
                return end
            }
            result = .list(values)
            return end
        case "M":
            var map: AttributeMap = [:]
            let end = item(at: place, into: &map)
            result = .map(map)
            return end
        default:
            return refuse("an attribute is of the type \(type), which this program does not write", at: place)
        }
    }

    /// Whole numbers of 64 bits are exact; others are the nearest double.
    private func number(_ text: JSONGrammar.Text) -> AttributeValue? {
        let digits = grammar.string(of: text)
        return Int64(digits).map(AttributeValue.int) ?? Double(digits).map(AttributeValue.double)
    }

    private func bytes(_ text: JSONGrammar.Text) -> AttributeValue? {
        let decoded =
            text.isEscaped
            ? Base64.decode(grammar.string(of: text).utf8) : Base64.decode(grammar.bytes.span(text.start..<text.end))
        return decoded.map(AttributeValue.bytes)
    }
}
