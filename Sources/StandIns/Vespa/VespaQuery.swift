// The parameters of a visit, checked as Vespa checks them.

/// A request that Vespa would refuse, with the message it would give.
struct VespaBadRequest: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// What one visit is asked for.
struct VespaQuery {
    enum TensorFormat: String {
        case short
        case long
        case shortValue = "short-value"
        case longValue = "long-value"
    }

    /// Nil when streaming without a wish.
    var wanted: Int?
    var token: VespaToken?
    var slices = 1
    var sliceID = 0
    var selection = ""
    var fieldSet: String?
    var bucketSpace = "default"
    var fromTimestamp = Int64.min
    var toTimestamp = Int64.max
    var tensors = TensorFormat.short
    var streams = false
    var cluster: String?
    var includesRemoves = false

    init(_ query: String) throws(VespaBadRequest) {
        var parameters: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw VespaBadRequest("Illegal escape in '\(pair)'")
            }
            parameters[name] = value
        }
        func integer(_ name: String, _ range: ClosedRange<Int64>) throws(VespaBadRequest) -> Int64? {
            guard let text = parameters[name] else { return nil }
            guard let number = Int64(text), range.contains(number) else {
                throw VespaBadRequest("Expected \(name) to be \(range), but got '\(text)'")
            }
            return number
        }
        func boolean(_ name: String) throws(VespaBadRequest) -> Bool {
            guard let text = parameters[name] else { return false }
            guard text == "true" || text == "false" else {
                throw VespaBadRequest("\(name) must be 'true' or 'false', but was '\(text)'")
            }
            return text == "true"
        }
        streams = try boolean("stream")
        includesRemoves = try boolean("includeRemoves")
        wanted = try integer("wantedDocumentCount", 1...Int64(Int32.max)).map { Int($0) } ?? (streams ? nil : 1)
        _ = try integer("concurrency", 1...Int64(Int32.max))
        try checkTimeout(parameters["timeout"])
        fromTimestamp = try integer("fromTimestamp", 0...Int64.max) ?? .min
        toTimestamp = try integer("toTimestamp", 0...Int64.max) ?? .max
        let slices = try integer("slices", 1...Int64(Int32.max))
        let sliceID = try integer("sliceId", 0...(slices ?? 1) - 1)
        guard (slices == nil) == (sliceID == nil) else {
            throw VespaBadRequest("slices and sliceId must be set together")
        }
        self.slices = Int(slices ?? 1)
        self.sliceID = Int(sliceID ?? 0)
        selection = parameters["selection"] ?? ""
        fieldSet = parameters["fieldSet"]
        cluster = parameters["cluster"]
        try read(bucketSpace: parameters["bucketSpace"], tensors: parameters["format.tensors"])
        if let text = parameters["continuation"] {
            guard let token = VespaToken(text) else { throw VespaBadRequest("Illegal continuation '\(text)'") }
            self.token = token
        }
    }

    private mutating func read(bucketSpace: String?, tensors: String?) throws(VespaBadRequest) {
        if let bucketSpace {
            guard ["default", "global"].contains(bucketSpace) else {
                throw VespaBadRequest(
                    "Document type is not in bucket space '\(bucketSpace)', known are default, global"
                )
            }
            self.bucketSpace = bucketSpace
        }
        if let tensors {
            guard let format = TensorFormat(rawValue: tensors) else {
                throw VespaBadRequest("Unknown value '\(tensors)' of format.tensors")
            }
            self.tensors = format
        }
    }

    /// Seconds, with or without their unit, or milliseconds.
    private func checkTimeout(_ text: String?) throws(VespaBadRequest) {
        guard let text else { return }
        let digits = text.hasSuffix("ms") ? text.dropLast(2) : text.hasSuffix("s") ? text.dropLast() : text[...]
        guard let number = Double(digits), number > 0 else { throw VespaBadRequest("Illegal timeout '\(text)'") }
    }

    /// The text behind escapes; a plus is a space.
    static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
