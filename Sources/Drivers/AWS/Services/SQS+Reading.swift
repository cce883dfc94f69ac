// Reads messages and entries of batches out of SQS's answers.
internal import SluiceCore

/// What has been read of a message.
struct SQSMessageReader {
    private var receipt: String?
    private var body: String?
    private var receiveCount: Int?
    private var sentAt: Int64?

    var whole: SQS.Message? {
        guard let receipt, let body, let receiveCount, let sentAt else { return nil }
        let moment = Timestamp(milliseconds: sentAt)
        return SQS.Message(receipt: receipt, body: body, receiveCount: receiveCount, sentAt: moment)
    }

    mutating func read(_ reader: inout AWSJSONReader, _ place: Int) -> Place {
        reader.members(of: place) { reader, name, place in
            switch name {
            case "ReceiptHandle": return reader.string(at: place, intoNil: &receipt)
            case "Body": return reader.string(at: place, intoNil: &body)
            case "Attributes":
                return reader.members(of: place) { reader, name, place in
                    var text: String?
                    let end = reader.string(at: place, intoNil: &text)
                    if name == "ApproximateReceiveCount" { receiveCount = text.flatMap { Int($0) } }
                    if name == "SentTimestamp" { sentAt = text.flatMap { Int64($0) } }
                    return end
                }
            default: return reader.skip(place)
            }
        }
    }
}

extension AWSJSONReader {
    /// A text, or nil for any other value.
    mutating func string(at place: Int, intoNil result: inout String?) -> Place {
        guard text(at: place) != nil else {
            result = nil
            return skip(place)
        }
        var string = ""
        let end = self.string(at: place, into: &string)
        result = string
        return end
    }

    /// The numbers that entries of a batch are named by.
    mutating func ids(at place: Int, into result: inout Set<Int>) -> Place {
        elements(of: place) { reader, place in
            var id: String?
            let end = reader.members(of: place) { reader, name, place in
                name == "Id" ? reader.string(at: place, intoNil: &id) : reader.skip(place)
            }
            if let number = id.flatMap({ Int($0) }) { result.insert(number) }
            return end
        }
    }
}
